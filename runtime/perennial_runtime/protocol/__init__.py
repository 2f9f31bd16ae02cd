"""The wire formats: bytes to tensors and back, with checks.

Pure: no I/O, no paths, no model. Each protocol has a folder, with a codec for each operation that
runs the model, and functions for the bodies of the others. ``routers/`` connects them to paths.

- ``v2/``: the Open Inference Protocol over REST, in JSON and binary.
- ``grpc/``: the Open Inference Protocol over gRPC, with health, reflection and statistics.
- ``v1/`` and ``tfs_grpc/``: TensorFlow Serving over REST and gRPC.
- ``perennial/``: rows of a table, prediction ids, feedback.
- ``shared/``: parts that several protocols share.
"""
