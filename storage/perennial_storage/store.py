"""What every store offers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from perennial_contracts.wire.outcome import LoadFailure

from ..errors import LoadError


class Span(NamedTuple):
    """Some bytes of an object, in a row."""

    start: int
    """The first."""
    end: int
    """The one after the last."""


@dataclass(frozen=True)
class Blob:
    """An object that is being read; a context manager that ends the reading."""

    size: int | None
    """Bytes of the whole object; None where the store does not say."""
    chunks: Iterator[bytes]
    """The contents, in order. Reading may raise LoadError."""
    close: Callable[[], None]
    version: str | None = None
    """Names these very bytes: whatever is put in their place has another. None where the whole is
    being read, be it that the store cannot tell versions apart or knows no spans."""

    def __enter__(self) -> "Blob":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Source(Protocol):
    """A directory in some store. Several threads may read from it at once."""

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        """Starts to read the object at a relative path.

        Args:
            path: relative to the directory.
            span: what to read, up to the object's end at most; the whole where it is None, and
                also (the blob's version is None then) where the store cannot read in spans.
            version: what the blob must be of, by an earlier answer.

        Raises:
            LoadError: ModelNotFound, AccessDenied or StoreUnreachable.
            OverwrittenError: where the object has another version by now.
        """
        ...

    def describe(self, path: str) -> str:
        """The object's URI without secrets, for messages."""
        ...


class OverwrittenError(LoadError):
    """The object is not any more what it was when its download began: it must begin anew."""

    def __init__(self, where: str) -> None:
        super().__init__(
            LoadFailure.STORE_UNREACHABLE,
            f"{where}: it was overwritten while it was being downloaded. "
            "Put changed models under a new URI",
        )


def strong(tag: str | None) -> str | None:
    """An entity tag if it stands for the very bytes, by RFC 9110, section 8.8.1.

    >>> strong('W/"about the same"')
    """
    return None if not tag or tag.startswith("W/") else tag
