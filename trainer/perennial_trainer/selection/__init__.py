"""The search for a model: which kinds are tried, on which rows, and which one is chosen.

``search`` is the way through: ``candidates`` lists what to try, ``trials`` cross-validates,
``halving`` keeps the better ones, ``choose`` takes one. ``warm_start`` begins with the champion.
"""
