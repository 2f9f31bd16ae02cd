"""A model as ONNX: how it is loaded and run, and its cost."""
