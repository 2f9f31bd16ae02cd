"""TensorFlow Serving's REST API, which KServe's v1 protocol shares: JSON to tensors and back."""
