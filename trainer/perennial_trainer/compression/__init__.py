"""Compression of an ONNX model to a smaller or faster one that passes a gate.

``compress`` runs the wanted methods: ``challenger`` calls it for a run, ``gate_data`` for a model
that is prepared. Both import it when it is needed, because its tools take seconds to load. A method
makes variants of a model, the strongest first; the first variant that passes the gate represents
the method. ``running`` measures these variants side by side, and ``decide`` selects the one to
serve, with a reason for each of the others.
"""
