"""A folder in a store, read and written with patience."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .connect import connect
from .patience import persist

T = TypeVar("T")


class Folder:
    """A folder in a store. What it cannot reach it tries again for a while."""

    def __init__(self, uri: str, field: str, retry_seconds: float, *, create: bool = False) -> None:
        """Opens a folder; reaches for nothing yet.

        Args:
            uri: of a bucket, the hub, a web server, file:///PATH or a path.
            field: the setting that holds the URI, for messages.
            retry_seconds: how long an unreachable store is tried again.
            create: whether files are put there; a folder on this machine is made.

        Raises:
            StepError: see :func:`~perennial_trainer.storage.connect.connect`.
        """
        self.field = field
        self._retry_seconds = retry_seconds
        self._backend = connect(uri, field, create=create)
        self.uri = self._backend.describe("").rstrip("/")

    def describe(self, path: str) -> str:
        """The URI of a file in the folder, without secrets."""
        return self._backend.describe(path)

    def read(self, path: str) -> bytes:
        """The contents of a file.

        Raises:
            StepError: ModelNotFound, AccessDenied or StoreUnreachable.
        """
        return self._persist(path, lambda: b"".join(self._backend.chunks(path)))

    def read_if_there(self, path: str) -> bytes | None:
        """The contents of a file, None where there is none.

        Raises:
            StepError: AccessDenied or StoreUnreachable.
        """
        try:
            return self.read(path)
        except StepError as error:
            if error.reason is not LoadFailure.MODEL_NOT_FOUND:
                raise
            return None

    def download(self, path: str, target: Path) -> None:
        """Copies a file to this machine, without holding it in memory.

        Raises:
            StepError: ModelNotFound, AccessDenied or StoreUnreachable.
        """

        def copy() -> None:
            with target.open("wb") as file:
                for chunk in self._backend.chunks(path):
                    file.write(chunk)

        target.parent.mkdir(parents=True, exist_ok=True)
        self._persist(path, copy)

    def list(self, below: str) -> list[str]:
        """The paths of the files below a path, in order; none where there is no such path.

        Raises:
            StepError: ModelNotFound for a missing bucket or a web server, which lists nothing;
                AccessDenied or StoreUnreachable.
        """
        return sorted(self._persist(below, lambda: self._backend.list(below)))

    def write(self, path: str, data: bytes) -> None:
        """Puts a file in its place, whole or not at all, whatever lay there.

        Raises:
            StepError: ModelNotFound for a missing bucket, AccessDenied or StoreUnreachable.
        """
        self._persist(path, lambda: self._backend.put(path, data), "write")

    def write_new(self, path: str, data: bytes) -> None:
        """Puts a file where there is none, whole or not at all; the same bytes may lie there.

        Raises:
            StepError: PublishFailed, where other bytes lie there; else as ``write``.
        """
        # An attempt whose answer was lost may have put it: then the next one finds its bytes.
        made = self._persist(path, lambda: self._backend.create(path, data), "write")
        if not made and self.read(path) != data:
            raise StepError(
                TrainingFailure.PUBLISH_FAILED,
                f"{self.describe(path)}: something else lies there, which is not overwritten. "
                f"Give {self.field} a folder of its own",
            )

    def _persist(self, path: str, attempt: Callable[[], T], purpose: str = "read") -> T:
        return persist(
            attempt,
            lambda error: self._backend.failure(path, error, purpose),
            self._retry_seconds,
        )
