"""Write captured files to a bucket or a folder. No reader sees half a file.

obstore is imported for a bucket only: it takes 6 MB of a model server's memory.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from perennial_contracts.wire.outcome import LoadFailure

from .buckets import parse_bucket
from .errors import StorageError, not_found

if TYPE_CHECKING:
    from .object_store import BucketStore

CAPTURE_FIELD = "--capture"
PUT_SECONDS = 60.0
"""Timeout of one attempt to write a file."""


class Sink(Protocol):
    """A folder that accepts files."""

    def put(self, path: str, data: bytes) -> None:
        """Write one file.

        Raises:
            StorageError: for any reason; it names the folder, so that it is the same for every
                file.
        """
        ...


def open_sink(uri: str) -> Sink:
    """Return the folder at a bucket's URI, ``file://`` or a path, without looking.

    Raises:
        StorageError: ModelNotFound if the URI names no bucket.
    """
    try:
        found = parse_bucket(uri)
    except ValueError as error:
        raise not_found(uri, str(error), CAPTURE_FIELD) from error
    if found:
        from .object_store import BucketStore

        return _BucketSink(BucketStore(*found, CAPTURE_FIELD, seconds=PUT_SECONDS))
    parts = urlsplit(uri)
    return _FolderSink(Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri))


class _BucketSink:
    def __init__(self, store: "BucketStore") -> None:
        self._store = store

    def put(self, path: str, data: bytes) -> None:
        try:
            self._store.put(path, data)
        except StorageError as error:
            folder = self._store.describe("")
            raise StorageError(
                error.reason, folder, error.detail, error.hint, error.field
            ) from error


class _FolderSink:
    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, data: bytes) -> None:
        target = self._root / path
        # With another suffix, so that readers of Parquet files do not see half a file.
        partial = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(target)
        except OSError as error:
            raise StorageError(
                LoadFailure.INTERNAL_ERROR,
                str(self._root),
                error.strerror or str(error),
                "Set --capture to a writable folder with enough room",
                CAPTURE_FIELD,
            ) from error
