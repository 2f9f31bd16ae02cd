"""What every store offers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Blob:
    """An object that is being read; a context manager that ends the reading."""

    size: int | None
    """Bytes; None where the store does not say."""
    chunks: Iterator[bytes]
    """The contents, in order. Reading may raise LoadError."""
    close: Callable[[], None]

    def __enter__(self) -> "Blob":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Source(Protocol):
    """A directory in some store."""

    def open(self, path: str) -> Blob:
        """Starts to read the object at a relative path.

        Raises:
            LoadError: ModelNotFound, AccessDenied or StoreUnreachable.
        """
        ...

    def describe(self, path: str) -> str:
        """The object's URI without secrets, for messages."""
        ...
