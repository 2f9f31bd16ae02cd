"""The demo: a model of flight delays is served, watched and kept alive for a year, in minutes.

Run it with ``make demo``. Each module has one idea; ``cli`` tells the story in order.
"""
