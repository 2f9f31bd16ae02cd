"""The gRPC services of the Open Inference Protocol, with health and reflection.

Messages come and go without the five bytes that gRPC puts before each of them. No I/O.
"""
