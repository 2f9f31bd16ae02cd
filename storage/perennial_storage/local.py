"""Folders in buckets and on this machine: obstore reads and writes them all."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from obstore import exceptions, store

from perennial_contracts import buckets
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError

NETWORK: dict[str, Any] = {
    "client_options": {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=20),
        # Of a whole download, which may rightly be long; the two above notice a dead store.
        "timeout": timedelta(days=1),
    },
    # Further attempts are made by the folder, and told of.
    "retry_config": {"max_retries": 1, "retry_timeout": timedelta(seconds=10)},
}


class _Objects:
    """What both kinds do alike."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = f"{prefix}/" if prefix else ""

    def chunks(self, path: str) -> Iterator[bytes]:
        for chunk in self._client.get(self._prefix + path).stream():
            yield bytes(chunk)

    def list(self, below: str) -> list[str]:
        # An object's path counts by whole parts, so that model=a is not found below model=ab.
        sizes = {
            str(entry["path"])[len(self._prefix) :]: entry["size"]
            for chunk in self._client.list(self._prefix + below)
            for entry in chunk
        }
        folders = {parent for path in sizes for parent in _parents(path)}
        # A store's console marks a folder by an empty object of its name.
        return [path for path, size in sizes.items() if path and not (not size and path in folders)]

    def put(self, path: str, data: bytes) -> None:
        self._client.put(self._prefix + path, data, use_multipart=False)

    def create(self, path: str, data: bytes) -> bool:
        key = self._prefix + path
        try:
            self._client.put(key, data, mode="create", use_multipart=False)
        except exceptions.AlreadyExistsError:
            return False
        except (NotImplementedError, exceptions.NotSupportedError):
            # A server that knows no conditions can only be asked first.
            with suppress(FileNotFoundError):
                self._client.head(key)
                return False
            self.put(path, data)
        return True


class BucketFolder(_Objects):
    """A prefix of a bucket."""

    def __init__(self, place: buckets.Place, key: str, uri: str, field: str) -> None:
        """Reaches for nothing yet.

        Args:
            place: the bucket.
            key: the prefix, without slashes around it.
            uri: as it was given, for messages.
            field: the setting that holds the URI, for messages.

        Raises:
            StepError: AccessDenied, where the variables do not fit.
        """
        make = getattr(store, buckets.CLASS_OF[place.kind])
        try:
            client = make(place.name, **NETWORK, **buckets.options_of(place))
        except exceptions.GenericError as error:
            raise StepError(*buckets.unusable(place.uri, place.kind, error)) from error
        super().__init__(client, key)
        self._kind, self._uri, self._field = place.kind, uri.rstrip("/"), field

    def describe(self, path: str) -> str:
        return f"{self._uri}/{path}" if path else self._uri

    def failure(self, path: str, error: Exception, purpose: str) -> StepError:
        where = self.describe(path)
        return StepError(*buckets.refusal(where, self._kind, error, purpose, self._field))


class LocalFolder(_Objects):
    """A folder on this machine, a mounted volume say."""

    def __init__(self, root: Path, uri: str, field: str, *, create: bool) -> None:
        super().__init__(store.LocalStore(root, mkdir=create), "")
        self._uri, self._field = uri.rstrip("/"), field

    def describe(self, path: str) -> str:
        return f"{self._uri}/{path}" if path else self._uri or "/"

    def failure(self, path: str, error: Exception, purpose: str) -> StepError:
        where, first_line = self.describe(path), (str(error).splitlines() or [""])[0]
        if isinstance(error, FileNotFoundError):
            return StepError(
                LoadFailure.MODEL_NOT_FOUND, f"{where}: no such file. Check {self._field}"
            )
        if isinstance(error, (PermissionError, exceptions.PermissionDeniedError)):
            return StepError(
                LoadFailure.ACCESS_DENIED,
                f"{where}: access denied. Let the pod's user {purpose} there",
            )
        if isinstance(error, (exceptions.InvalidPathError, ValueError)):
            return StepError(
                LoadFailure.MODEL_NOT_FOUND, f"{where}: {first_line}. Check {self._field}"
            )
        return StepError(
            LoadFailure.INTERNAL_ERROR, f"{where}: {first_line or type(error).__name__}"
        )


def _parents(path: str) -> Iterator[str]:
    """The folders that a path lies in.

    >>> list(_parents("a/b/c"))
    ['a', 'a/b']
    """
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))
