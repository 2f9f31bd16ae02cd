"""What a kind of store offers."""

from collections.abc import Iterator
from typing import Protocol

from ..errors import StepError


class Backend(Protocol):
    """A folder in a store; paths are relative to it. Methods raise what they like, and
    ``failure`` says what it means. Several threads may use it at once."""

    def describe(self, path: str) -> str:
        """The URI of a file, without secrets."""
        ...

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file's bytes, in order."""
        ...

    def list(self, below: str) -> list[str]:
        """The paths of the files below a path."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Puts a file in its place, whole or not at all."""
        ...

    def create(self, path: str, data: bytes) -> bool:
        """Puts a file where there is none, whole or not at all; False where there is one."""
        ...

    def failure(self, path: str, error: Exception, purpose: str) -> StepError:
        """What an error at a file means; ``purpose`` is ``read`` or ``write``."""
        ...


class ReadOnly:
    """The part of a backend that nothing can be put into."""

    def put(self, path: str, data: bytes) -> None:
        """Never."""
        raise NotImplementedError(f"{path}: nothing can be written there")

    def create(self, path: str, data: bytes) -> bool:
        """Never."""
        raise NotImplementedError(f"{path}: nothing can be written there")
