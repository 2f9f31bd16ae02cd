"""The model server: fetches one ONNX model, verifies it, and serves it until told to stop."""


def version() -> str:
    """The version of Perennial that is installed."""
    from importlib import metadata  # slow to import, and rarely asked for

    try:
        return metadata.version("perennial")
    except metadata.PackageNotFoundError:
        return "unknown"
