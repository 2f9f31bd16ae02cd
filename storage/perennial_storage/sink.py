"""Where captured files are put. A file appears whole or not at all."""

import os
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ..errors import LoadError
from .buckets import bucket_of
from .object_store import Bucket

PUT_SECONDS = 60.0
"""For one attempt to put a file."""


class SinkError(Exception):
    """A file could not be put; the text says where, why, and what to do."""


class Sink(Protocol):
    """A directory that takes files."""

    def put(self, path: str, data: bytes) -> None:
        """Puts one file.

        Raises:
            SinkError: where it could not be put.
        """
        ...


def sink_of(uri: str) -> Sink:
    """The directory that a bucket's URI, ``file://`` or a path means.

    No input or output.
    """
    if found := bucket_of(uri):
        return _BucketSink(*found)
    parts = urlsplit(uri)
    return _FolderSink(Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri))


class _BucketSink:
    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._store: Any = None

    def put(self, path: str, data: bytes) -> None:
        import obstore

        try:
            if self._store is None:
                self._store = self._bucket.connect(PUT_SECONDS)
            obstore.put(self._store, self._prefix + path, data, use_multipart=False)
        except LoadError as error:
            raise SinkError(error.message) from error
        except Exception as error:
            failure = self._bucket.failure(self._prefix, error, "write", "--capture")
            raise SinkError(failure.message) from error


class _FolderSink:
    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, data: bytes) -> None:
        target = self._root / path
        # Of another suffix, so that nobody who looks for Parquet reads half a file.
        partial = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(target)
        except OSError as error:
            raise SinkError(
                f"{self._root}: {error.strerror or error}. "
                "Give --capture a folder that can be written, with enough room"
            ) from error
