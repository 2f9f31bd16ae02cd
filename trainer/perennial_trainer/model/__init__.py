"""A model as every step holds it: its features, its ONNX, and what it costs to serve."""
