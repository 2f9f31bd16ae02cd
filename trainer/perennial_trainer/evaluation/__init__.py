"""Evaluation of predictions: scores with intervals, curves, slices, and the gate.

Everything is pure but ``setup``, which reads the held-out rows and the challenger.
"""
