"""The paths of the server, protocol by protocol.

Routers know paths; codecs know bytes. ``router.py`` holds the table of all routes. It calls
``routes()`` of each router when the server starts, and ``serve(service)`` when the model is loaded.

- ``v2.py``: the Open Inference Protocol over REST, with Perennial's predict, feedback and counters.
- ``grpc.py``: the same over gRPC, with health, reflection and statistics.
- ``v1.py`` and ``tfs_grpc.py``: TensorFlow Serving over REST and gRPC.
- ``about.py``: the page and the OpenAPI document.
- ``server_state.py``: which model the server serves, and whether it is ready.
"""
