"""Which store a URI means."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from perennial_contracts.wire.outcome import LoadFailure

from ..errors import LoadError
from .base import Source
from .buckets import bucket_of


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
    if found := bucket_of(uri):
        from .object_store import ObjectSource

        bucket, key = found
        folder, file = _split(key)
        return Location(uri, file, source=ObjectSource(bucket, folder))
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return _on_web(uri)
    if uri.startswith("hf://"):
        from .hub import HubSource, parse

        repository, revision, key = parse(uri)
        folder, file = _split(key)
        return Location(uri, file, source=HubSource(repository, revision, folder))
    if parts.scheme and "://" in uri and parts.scheme != "file":
        raise LoadError(
            LoadFailure.UNSUPPORTED_MODEL,
            f"{uri}: expected s3://, gs://, az://, abfss://, http://, https://, hf://, file:// or "
            f"a path, got {parts.scheme}://. Check spec.model.uri",
        )
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri)
    # os.path, not Path: a directory that may not be entered is told of when it is read.
    if os.path.isfile(path) or (path.suffix == ".onnx" and not os.path.isdir(path)):  # noqa: PTH112, PTH113
        return Location(uri, path.name, directory=path.parent)
    return Location(uri, None, directory=path)


def _split(key: str) -> tuple[str, str | None]:
    """The folder that a key means, and the ``.onnx`` file in it.

    >>> _split("delays/1/model.onnx"), _split("delays/1")
    (('delays/1', 'model.onnx'), ('delays/1', None))
    """
    folder, _, last = key.rpartition("/")
    return (folder, last) if last.endswith(".onnx") else (key, None)


def _on_web(uri: str) -> Location:
    from .web import WebSource

    parts = urlsplit(uri)
    if not parts.hostname:
        raise LoadError(LoadFailure.MODEL_NOT_FOUND, f"{uri}: expected a host, got none")
    parent, _, last = parts.path.rpartition("/")
    if last.endswith(".onnx"):
        source = WebSource(parts._replace(path=f"{parent}/"))
        return Location(source.describe(last), unquote(last), source=source)
    source = WebSource(parts._replace(path=parts.path.rstrip("/") + "/"))
    return Location(source.describe(""), None, source=source)
