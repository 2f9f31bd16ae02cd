"""The wire formats: pure translations between bytes and tensors."""
