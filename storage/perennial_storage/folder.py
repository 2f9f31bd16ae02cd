"""A folder in any store, read and written with retries."""

from collections.abc import Iterator
from pathlib import Path

from perennial_contracts.wire.outcome import LoadFailure

from .errors import StorageError, cut_off
from .location import TRAINER_AGENT, open_store
from .retry import Retry


class Folder:
    """A folder in a store. Every method retries while the store is unreachable."""

    def __init__(self, uri: str, field: str, retry_seconds: float, *, create: bool = False) -> None:
        """Open a folder. Sends no request.

        Args:
            uri: of a bucket, the hub, a web server, file:///PATH or a path.
            field: the setting that holds the URI, for messages.
            retry_seconds: how long to retry while the store is unreachable.
            create: whether files will be written; a folder on this machine is created.

        Raises:
            StorageError: ModelNotFound for a malformed or unknown URI, or a path that does not
                exist; AccessDenied if the environment variables are unusable; UnsupportedModel for
                hf:// without its client.
        """
        self._retry_seconds = retry_seconds
        self._store = open_store(uri, field, TRAINER_AGENT, create=create)
        self._store.connect()
        self.field = field

    @property
    def uri(self) -> str:
        """The folder's URI without secrets and without a slash at its end."""
        return self._store.describe("").rstrip("/")

    def describe(self, path: str) -> str:
        """Return the URI of a file in the folder, without secrets."""
        return self._store.describe(path)

    def read(self, path: str) -> bytes:
        """Return the contents of a file.

        Raises:
            StorageError: ModelNotFound, AccessDenied or StoreUnreachable.
        """
        return self._retry().call(lambda: b"".join(self._chunks(path)))

    def read_if_exists(self, path: str) -> bytes | None:
        """Return the contents of a file, None if it does not exist.

        Raises:
            StorageError: AccessDenied or StoreUnreachable.
        """
        try:
            return self.read(path)
        except StorageError as error:
            if error.reason is not LoadFailure.MODEL_NOT_FOUND:
                raise
            return None

    def download(self, path: str, target: Path) -> None:
        """Copy a file to this machine, without holding it in memory.

        Raises:
            StorageError: ModelNotFound, AccessDenied or StoreUnreachable; InternalError if the
                target cannot be written.
        """

        def copy() -> None:
            with target.open("wb") as file:
                for chunk in self._chunks(path):
                    file.write(chunk)

        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._retry().call(copy)
        except OSError as error:
            raise StorageError(
                LoadFailure.INTERNAL_ERROR,
                self.describe(path),
                f"cannot write the download to {target}: {error.strerror or error}",
            ) from error

    def list(self, below: str) -> list[str]:
        """Return the sorted paths of the files below a path, if any.

        Raises:
            StorageError: ModelNotFound for a missing bucket or a web server, which lists nothing;
                AccessDenied or StoreUnreachable.
        """
        return sorted(self._retry().call(lambda: self._store.list(below)))

    def write(self, path: str, data: bytes) -> None:
        """Write a file atomically, replacing any other.

        Raises:
            StorageError: ModelNotFound for a missing bucket, AccessDenied or StoreUnreachable.
        """
        self._retry().call(lambda: self._store.put(path, data))

    def write_new(self, path: str, data: bytes) -> bool:
        """Write a file atomically unless one exists.

        Returns:
            False if a file with other contents exists.

        Raises:
            StorageError: see :meth:`write`.
        """
        # An attempt whose response was lost may have written the file: the next one finds it.
        return self._retry().call(lambda: self._store.create(path, data)) or self.read(path) == data

    def _chunks(self, path: str) -> Iterator[bytes]:
        received = 0
        with self._store.open(path) as blob:
            for chunk in blob.chunks:
                received += len(chunk)
                yield chunk
        if blob.size is not None and received != blob.size:
            raise cut_off(self.describe(path), blob.size, received)

    def _retry(self) -> Retry:
        return Retry(self._retry_seconds)
