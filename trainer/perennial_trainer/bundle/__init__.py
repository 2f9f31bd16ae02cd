"""What lies beside model.onnx in a bundle, and how a bundle gets into the store."""
