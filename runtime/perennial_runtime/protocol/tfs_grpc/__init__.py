"""TensorFlow Serving's gRPC services: messages to arrays, results to messages.

Messages come and go without the five bytes that gRPC puts before each of them. No I/O.
"""
