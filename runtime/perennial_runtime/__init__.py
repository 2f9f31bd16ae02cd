"""The model server: it fetches one ONNX model, verifies it, and serves it.

Begin with ``app.py``, whose docstring follows a request through the packages, and with
``server.py``, which starts and stops everything. ``tests/runtime/test_first_request.py`` shows one
request.

``cli.py`` and ``settings.py`` have the commands and flags, ``load.py`` the way from a URI to a
model, ``workers/`` several processes behind one port, ``page/`` and ``openapi/`` the descriptions
of the model for people and for tools.
"""


def version() -> str:
    """Return the installed version of Perennial."""
    from importlib import metadata  # slow to import, and rarely needed

    try:
        return metadata.version("perennial")
    except metadata.PackageNotFoundError:
        return "unknown"
