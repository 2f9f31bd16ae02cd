"""Bundles: their files beside model.onnx, and how they get into the store."""
