"""The model in memory, and the runs of requests on it.

``model.py`` is the ONNX Runtime session with its signature. ``engine.py`` runs decoded requests on
it, together if ``batching.py`` found that this is right and faster. ``thread_pool.py`` runs
requests that are too slow for the frontend's thread.
"""
