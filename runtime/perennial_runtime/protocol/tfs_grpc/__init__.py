"""TensorFlow Serving's gRPC services: bytes of messages to arrays, and results to bytes.

Messages come and go without the five bytes that gRPC puts before each of them. No I/O.
"""
