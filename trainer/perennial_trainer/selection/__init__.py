"""Search for a model: the kinds to try, their rows, and the choice.

``search`` is the way through: ``candidates`` lists the candidates, ``trials`` cross-validates,
``halving`` keeps the better ones, ``choose`` takes one. ``warm_start`` begins with the champion.
"""
