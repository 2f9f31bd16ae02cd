"""Folders on this machine, such as mounted volumes, read and written with obstore."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from obstore import exceptions
from obstore import store as clients

from perennial_contracts.wire.outcome import LoadFailure

from .errors import StorageError, not_found
from .object_store import create_object, list_objects
from .store import Blob, Span


class LocalStore:
    """A folder on this machine."""

    def __init__(self, root: Path, uri: str, field: str, *, create: bool) -> None:
        """Open a folder.

        Args:
            root: the folder.
            uri: the folder as messages show it.
            field: the setting that holds the URI, for messages.
            create: whether to create the folder.
        """
        self._client: Any = clients.LocalStore(root, mkdir=create)
        self._uri, self._field = f"{uri.rstrip('/')}/", field

    def describe(self, path: str) -> str:
        return self._uri + path

    def connect(self) -> None:
        """Do nothing: there is no client to set up."""

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        try:
            result = self._client.get(path)
        except Exception as error:
            raise self._failure(path, error, "read") from error
        return Blob(result.meta["size"], self._read(path, result.stream()), lambda: None)

    def list(self, below: str, limit: int | None = None) -> list[str]:
        try:
            return list_objects(self._client, "", below, limit)
        except Exception as error:
            raise self._failure(below, error, "read") from error

    def put(self, path: str, data: bytes) -> None:
        try:
            self._client.put(path, data, use_multipart=False)
        except Exception as error:
            raise self._failure(path, error, "write") from error

    def create(self, path: str, data: bytes) -> bool:
        try:
            return create_object(self._client, path, data)
        except Exception as error:
            raise self._failure(path, error, "write") from error

    def _read(self, path: str, stream: Any) -> Iterator[bytes]:
        try:
            for chunk in stream:
                yield bytes(chunk)
        except Exception as error:
            raise self._failure(path, error, "read") from error

    def _failure(self, path: str, error: Exception, purpose: str) -> StorageError:
        uri = self.describe(path)
        detail = (str(error).splitlines() or [""])[0] or type(error).__name__
        if isinstance(error, FileNotFoundError):
            return not_found(uri, "no such file", self._field)
        if isinstance(error, PermissionError | exceptions.PermissionDeniedError):
            return StorageError(
                LoadFailure.ACCESS_DENIED,
                uri,
                "access denied",
                f"Give user {os.getuid()} permission to {purpose} there",
                self._field,
            )
        if isinstance(error, exceptions.InvalidPathError | ValueError):
            return not_found(uri, detail, self._field)
        return StorageError(LoadFailure.INTERNAL_ERROR, uri, detail, field=self._field)
