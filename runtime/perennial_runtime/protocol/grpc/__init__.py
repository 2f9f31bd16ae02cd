"""gRPC's messages: bytes without their frames to arrays and answers, and back. No I/O."""
