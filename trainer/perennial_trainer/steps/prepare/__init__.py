"""The Job ``prepare``: from what a framework saved to a bundle in the store.

``fetch`` has credentials and reads nothing but bytes; ``convert`` reads what anybody may have made
and has neither credentials nor network; ``publish`` has credentials and takes what ``convert``
left as data.
"""
