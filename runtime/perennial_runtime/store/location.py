"""Which store a URI means."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from perennial_contracts.outcome import LoadFailure

from ..errors import LoadError
from .base import Source


@dataclass(frozen=True)
class Location:
    """What a URI points to: a directory, or (``file``) one ``.onnx`` file in it."""

    uri: str
    """As given, without secrets."""
    file: str | None
    directory: Path | None = None
    """Set where the model lies on this machine already."""
    source: Source | None = None
    """Set where it does not."""


def locate(uri: str) -> Location:
    """The place that a URI means. Does no input or output except looking at a local path.

    Raises:
        LoadError: UnsupportedModel for a scheme that is not understood, ModelNotFound for a URI
            without a bucket or host.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        from .web import WebSource

        if not parts.hostname:
            raise LoadError(LoadFailure.MODEL_NOT_FOUND, f"{uri}: expected a host, got none")
        parent, _, last = parts.path.rpartition("/")
        if last.endswith(".onnx"):
            source = WebSource(parts._replace(path=f"{parent}/"))
            return Location(source.describe(last), unquote(last), source=source)
        source = WebSource(parts._replace(path=parts.path.rstrip("/") + "/"))
        return Location(source.describe(""), None, source=source)
    if parts.scheme == "s3":
        from .s3 import S3Source

        if not parts.netloc:
            raise LoadError(LoadFailure.MODEL_NOT_FOUND, f"{uri}: expected a bucket, got none")
        # Not split further: '?' and '#' are ordinary characters of a key.
        key = uri.removeprefix("s3://").removeprefix(parts.netloc).strip("/")
        parent, _, last = key.rpartition("/")
        if last.endswith(".onnx"):
            return Location(uri, last, source=S3Source(parts.netloc, parent))
        return Location(uri, None, source=S3Source(parts.netloc, key))
    if parts.scheme and "://" in uri and parts.scheme != "file":
        raise LoadError(
            LoadFailure.UNSUPPORTED_MODEL,
            f"{uri}: expected s3://, http://, https://, file:// or a path, "
            f"got {parts.scheme}://. Check spec.model.uri",
        )
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri)
    # os.path, not Path: a directory that may not be entered is told of when it is read.
    if os.path.isfile(path) or (path.suffix == ".onnx" and not os.path.isdir(path)):  # noqa: PTH112, PTH113
        return Location(uri, path.name, directory=path.parent)
    return Location(uri, None, directory=path)
