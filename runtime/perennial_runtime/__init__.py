"""The model server: it fetches one ONNX model, verifies it, and serves it.

Begin with ``server.py``, which starts and stops everything, and with ``app.py``, which answers
requests. A request takes this way:

1. A frontend (``frontends/``) reads it from a socket and passes it on as a ``Call``, together with
   all other requests that are complete.
2. The application (``app.py``) finds the route of its path (``routing.py``, ``routers/``).
3. The route's handler (``handlers/``) decodes the body with a codec (``protocol/``) into tensors.
4. The engine (``engine/``) runs the model: at once if runs are short, else in a thread, together
   with other requests if that is faster.
5. The monitor (``monitoring/``) counts the rows, captures them if configured, and makes ids.
6. The handler encodes the results, and the frontend writes the response.

``cli.py`` and ``settings.py`` have the commands and flags, ``load.py`` the way from a URI to a
model, ``workers/`` several processes behind one port, ``page/`` and ``openapi/`` the descriptions
of the model for people and for tools. ``tests/runtime/test_first_request.py`` shows one request.
"""


def version() -> str:
    """Return the installed version of Perennial."""
    from importlib import metadata  # slow to import, and rarely needed

    try:
        return metadata.version("perennial")
    except metadata.PackageNotFoundError:
        return "unknown"
