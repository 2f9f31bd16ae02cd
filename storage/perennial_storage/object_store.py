"""Buckets of S3, Google Cloud Storage and Azure, read and written with obstore."""

import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

from obstore import exceptions
from obstore import store as clients

from perennial_contracts.wire.outcome import LoadFailure

from .buckets import Bucket
from .errors import OverwrittenError, StorageError, not_found
from .providers import PROVIDERS, client_options
from .store import Blob, Span, strong

CHUNK_BYTES = 1024 * 1024
READ_TIMEOUT_SECONDS = 20.0
"""For each wait for more bytes; a long download may take longer."""
DOWNLOAD_SECONDS = 86400.0
"""For a whole download, which may be long; the read timeout detects a dead store."""
CLIENTS: dict[str, Any] = {
    "S3": clients.S3Store,
    "Gcs": clients.GCSStore,
    "Azure": clients.AzureStore,
}
# obstore has no exception for these two: an object without a first byte, and a server that returns
# all of it.
_NO_SPAN = ("416 Range Not Satisfiable", "non-partial response")


class BucketStore:
    """A prefix of a bucket."""

    def __init__(
        self,
        bucket: Bucket,
        key: str,
        field: str,
        *,
        uri: str | None = None,
        seconds: float = DOWNLOAD_SECONDS,
    ) -> None:
        """Remember the prefix; the client is created on first use.

        Args:
            bucket: the bucket.
            key: the prefix, without slashes around it.
            field: the setting that holds the URI, for messages.
            uri: the prefix's URI as messages show it; by default derived from bucket and key.
            seconds: timeout of one request with its whole response.
        """
        self._bucket = bucket
        self._prefix = f"{key}/" if key else ""
        self._uri = f"{bucket.uri}/{self._prefix}" if uri is None else f"{uri.rstrip('/')}/"
        self._field = field
        self._seconds = seconds
        self._connecting = threading.Lock()
        self._client: Any = None

    def describe(self, path: str) -> str:
        return self._uri + path

    def connect(self) -> None:
        self.client()

    def client(self) -> Any:
        """Return obstore's client for the whole bucket, created once.

        Raises:
            StorageError: AccessDenied if the environment variables are unusable.
        """
        with self._connecting:
            if self._client is None:
                bucket = self._bucket
                try:
                    self._client = CLIENTS[bucket.kind](
                        bucket.name, **_network_options(self._seconds), **client_options(bucket)
                    )
                except exceptions.GenericError as error:
                    raise StorageError(
                        LoadFailure.ACCESS_DENIED,
                        bucket.uri,
                        str(error).partition("\n")[0].rstrip("."),
                        f"Check the credentials: {PROVIDERS[bucket.kind].variables}",
                        self._field,
                    ) from error
            return self._client

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        try:
            result, found = self._get(self._prefix + path, span, version)
            size: int = result.meta["size"]
            stream = self._read(path, result.stream(min_chunk_size=CHUNK_BYTES))
        except StorageError:
            raise
        except exceptions.PreconditionError as error:
            raise OverwrittenError(self.describe(path)) from error
        except Exception as error:
            raise self.failure(path, error) from error
        if version is not None and found != version:
            stream.close()
            raise OverwrittenError(self.describe(path))
        return Blob(size, stream, stream.close, found)

    def list(self, below: str, limit: int | None = None) -> list[str]:
        try:
            return list_objects(self.client(), self._prefix, below, limit)
        except StorageError:
            raise
        except Exception as error:
            raise self.failure(below, error) from error

    def put(self, path: str, data: bytes) -> None:
        try:
            self.client().put(self._prefix + path, data, use_multipart=False)
        except StorageError:
            raise
        except Exception as error:
            raise self.failure(path, error, "write") from error

    def create(self, path: str, data: bytes) -> bool:
        try:
            return create_object(self.client(), self._prefix + path, data)
        except StorageError:
            raise
        except Exception as error:
            raise self.failure(path, error, "write") from error

    def failure(self, path: str, error: Exception, purpose: str = "read") -> StorageError:
        """Return what an error of obstore means for an object.

        Args:
            path: of the object.
            error: any exception that obstore raised.
            purpose: ``read`` or ``write``.
        """
        return _explain(self.describe(path), self._bucket, error, purpose, self._field)

    def _get(self, key: str, span: Span | None, version: str | None) -> tuple[Any, str | None]:
        """Return obstore's result, and the version if it covers only the requested span."""
        client = self.client()
        if span is not None:
            condition = {} if version is None else {"if_match": version}
            try:
                result = client.get(key, options={"range": tuple(span), **condition})
            except exceptions.GenericError as error:
                if not any(sign in str(error) for sign in _NO_SPAN):
                    raise
            else:
                if found := strong(result.meta["e_tag"]):
                    return result, found
        return client.get(key), None

    def _read(self, path: str, stream: Any) -> Generator[bytes, None, None]:
        try:
            for chunk in stream:
                yield bytes(chunk)
        except Exception as error:
            raise self.failure(path, error) from error


def list_objects(client: Any, prefix: str, below: str, limit: int | None = None) -> list[str]:
    """Return the paths of the files below a path, relative to a prefix.

    Objects that only mark folders are left out.
    """
    # obstore compares whole parts of a path, so that model=a does not match model=ab.
    sizes: dict[str, int] = {}
    for chunk in client.list(prefix + below):
        sizes |= {str(entry["path"])[len(prefix) :]: entry["size"] for entry in chunk}
        if limit is not None and len(sizes) >= limit:
            break
    folders = {parent for path in sizes for parent in _parents(path)}
    # The store's console marks a folder by an empty object of its name.
    return [path for path, size in sizes.items() if path and not (not size and path in folders)]


def create_object(client: Any, key: str, data: bytes) -> bool:
    """Write an object unless one exists; return False if one does."""
    try:
        client.put(key, data, mode="create", use_multipart=False)
    except exceptions.AlreadyExistsError:
        return False
    except (NotImplementedError, exceptions.NotSupportedError):
        # A server without conditional writes: look first, which leaves a small race.
        with suppress(FileNotFoundError):
            client.head(key)
            return False
        client.put(key, data, use_multipart=False)
    return True


def _network_options(seconds: float) -> dict[str, Any]:
    return {
        "client_options": {
            "allow_http": True,
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=READ_TIMEOUT_SECONDS),
            "timeout": timedelta(seconds=seconds),
        },
        # The caller retries, and logs each attempt.
        "retry_config": {"max_retries": 1, "retry_timeout": timedelta(seconds=10)},
    }


def _explain(uri: str, bucket: Bucket, error: Exception, purpose: str, field: str) -> StorageError:
    provider = PROVIDERS[bucket.kind]
    text = str(error)
    first_line = text.splitlines()[0] if text else type(error).__name__
    code = _error_code(text)
    is_missing = isinstance(error, FileNotFoundError)
    # Listing a bucket that does not exist fails with a generic error that contains the code.
    no_bucket = f"<Code>{provider.no_bucket}</Code>" in text or (
        is_missing and provider.no_bucket in text
    )
    if no_bucket:
        return not_found(uri, f"there is no such {provider.bucket}", field)
    if is_missing and code not in provider.unknown_key:
        return not_found(uri, "no such object", field)
    if is_missing or isinstance(
        error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError
    ):
        hidden = f"; {provider.hidden}" if provider.hidden and purpose == "read" else ""
        return StorageError(
            LoadFailure.ACCESS_DENIED,
            uri,
            f"access denied{f' ({code})' if code else ''}",
            f"Check the credentials and their permission to {purpose}{hidden}",
            field,
        )
    if any(sign in text for sign in provider.metadata):
        reason, advice = LoadFailure.ACCESS_DENIED, provider.no_credentials
        return StorageError(reason, uri, "no credentials", advice, field)
    if isinstance(error, exceptions.InvalidPathError | ValueError):
        return not_found(uri, first_line, field)
    if isinstance(error, exceptions.UnknownConfigurationKeyError | TypeError):
        return StorageError(LoadFailure.INTERNAL_ERROR, uri, first_line, field=field)
    return StorageError(
        LoadFailure.STORE_UNREACHABLE,
        uri,
        _connection_failure(text) or first_line,
        f"Check {provider.endpoint} and the network",
        field,
    )


def _connection_failure(text: str) -> str:
    """Return why a connection failed; empty if unknown.

    obstore has one exception type for all of these, with a long description.
    """
    if "ConnectionRefused" in text:
        return "connection refused"
    if "dns error" in text or "failed to lookup" in text:
        return "the host name of the endpoint is unknown"
    if "TimedOut" in text or "Timeout" in text or "timed out" in text:
        return "no response in time"
    return ""


def _error_code(text: str) -> str:
    """Return the store's own error code from its response, if it sent one.

    >>> _error_code("... <Code>SignatureDoesNotMatch</Code> ...")
    'SignatureDoesNotMatch'
    """
    _, found, rest = text.partition("<Code>")
    return rest.partition("</Code>")[0] if found else ""


def _parents(path: str) -> Iterator[str]:
    """Yield the folders that contain a path.

    >>> list(_parents("a/b/c"))
    ['a', 'a/b']
    """
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))
