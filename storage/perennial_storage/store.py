"""The interface of every store: read spans, list, write, write if absent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Span(NamedTuple):
    """Consecutive bytes of an object."""

    start: int
    """The first one."""
    end: int
    """The one after the last."""


@dataclass(frozen=True)
class Blob:
    """An object that is being read; a context manager that closes the connection."""

    size: int | None
    """Bytes of the whole object; None if the store does not report it."""
    chunks: Iterator[bytes]
    """The contents, in order. Reading may raise StorageError."""
    close: Callable[[], None]
    version: str | None = None
    """Identifies these exact bytes; changed contents get another version.

    None if the whole object is being read because the store has no versions or no spans."""

    def __enter__(self) -> "Blob":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Store(Protocol):
    """A folder in some store, for several threads. Paths are relative to it."""

    def describe(self, path: str) -> str:
        """Return an object's URI without secrets; for "" that of the folder, with a slash."""
        ...

    def connect(self) -> None:
        """Create the client now rather than on first use. Sends no request.

        Raises:
            StorageError: AccessDenied if the environment variables are unusable, UnsupportedModel
                if the client is not installed.
        """
        ...

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        """Start to read an object.

        Args:
            path: relative to the folder.
            span: the bytes to read, at most up to the object's end. If None, or if the store
                cannot read spans (the blob's version is None then), the whole object.
            version: required version of the object, from an earlier response.

        Raises:
            StorageError: ModelNotFound, AccessDenied or StoreUnreachable.
            OverwrittenError: if the object has another version by now.
        """
        ...

    def list(self, below: str, limit: int | None = None) -> list[str]:
        """Return the paths of the files below a path, in any order.

        Args:
            below: a folder's path; matches whole parts of a path.
            limit: stop after about this many files.

        Raises:
            StorageError: see :meth:`open`.
        """
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write an object atomically, replacing any other.

        Raises:
            StorageError: see :meth:`open`.
        """
        ...

    def create(self, path: str, data: bytes) -> bool:
        """Write an object atomically unless one exists; return False if one does.

        Raises:
            StorageError: see :meth:`open`.
        """
        ...


class ReadOnly:
    """The writing half of a store that cannot be written to."""

    def put(self, path: str, data: bytes) -> None:
        """Raise NotImplementedError: such a store is never opened for writing."""
        raise NotImplementedError(f"{path}: this store is read-only")

    def create(self, path: str, data: bytes) -> bool:
        """Raise NotImplementedError: such a store is never opened for writing."""
        raise NotImplementedError(f"{path}: this store is read-only")


def strong(tag: str | None) -> str | None:
    """Return an entity tag if it identifies exact bytes, by RFC 9110, section 8.8.1.

    >>> strong('W/"roughly the same"')
    """
    return None if not tag or tag.startswith("W/") else tag
