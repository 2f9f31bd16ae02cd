"""TensorFlow Serving's gRPC services: bytes of messages to arrays and answers, and back. No I/O.

Messages come and go without the five bytes that gRPC puts before them.
"""
