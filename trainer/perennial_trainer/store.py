"""Folders in S3, on web servers and on this machine, set up by the usual ``AWS_*`` variables."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from obstore import exceptions
from obstore.store import HTTPStore, LocalStore, S3Store

from perennial_contracts.outcome import LoadFailure

from .errors import StepError
from .progress import tell

T = TypeVar("T")
CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
METADATA_PATHS = ("/latest/api/token", "/latest/meta-data/")
"""Where a cloud machine hands out its credentials; asked when there are no others."""
UNKNOWN_KEY = (" (InvalidAccessKeyId)", " (XAdminUserNotFound)")
"""What servers say of an access key that they do not know, some of them with status 404."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0


@dataclass(frozen=True)
class Found:
    """A file in a folder."""

    path: str
    """Relative to the folder."""
    size: int
    """Bytes."""


class Folder:
    """A folder in a store. What it cannot reach it tries again for a while."""

    def __init__(self, uri: str, field: str, retry_seconds: float, *, create: bool = False) -> None:
        """Opens a folder; reaches for nothing yet.

        Args:
            uri: s3://BUCKET/PATH, http(s)://HOST/PATH, file:///PATH or a path.
            field: the setting that holds the URI, for messages.
            retry_seconds: how long an unreachable store is tried again.
            create: whether a folder on this machine is made.

        Raises:
            StepError: ModelNotFound, for a URI that is none of these or a path where nothing is.
        """
        self.uri = uri.rstrip("/")
        self.field = field
        self._retry_seconds = retry_seconds
        self._store, self._prefix = self._connect(uri, create)

    def describe(self, path: str) -> str:
        """The URI of a file in the folder."""
        return f"{self.uri}/{path}" if path else self.uri

    def read(self, path: str) -> bytes:
        """The contents of a file.

        Raises:
            StepError: ModelNotFound, AccessDenied or StoreUnreachable.
        """
        return self._persist(path, lambda: bytes(self._store.get(self._prefix + path).bytes()))

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
                for chunk in self._store.get(self._prefix + path).stream():
                    file.write(chunk)

        target.parent.mkdir(parents=True, exist_ok=True)
        self._persist(path, copy)

    def list(self, below: str) -> list[Found]:
        """The files below a path, in order of path; none where there is no such path.

        Raises:
            StepError: ModelNotFound for a missing bucket, AccessDenied or StoreUnreachable.
        """

        def collect() -> list[Found]:
            # An object's path counts by whole parts, so that model=a is not found below model=ab.
            return [
                Found(str(entry["path"])[len(self._prefix) :], int(entry["size"]))
                for chunk in self._store.list(self._prefix + below)
                for entry in chunk
            ]

        return sorted(self._persist(below, collect), key=lambda found: found.path)

    def write(self, path: str, data: bytes) -> None:
        """Puts a file in its place, whole or not at all.

        Raises:
            StepError: ModelNotFound for a missing bucket, AccessDenied or StoreUnreachable.
        """
        self._persist(path, lambda: self._store.put(self._prefix + path, data))

    def _persist(self, path: str, attempt: Callable[[], T]) -> T:
        """Tries until it works, another attempt cannot help, or the time is over."""
        deadline = time.monotonic() + self._retry_seconds
        for pause in _pauses():
            try:
                return attempt()
            except Exception as error:
                failure = self._failure(path, error)
                last = time.monotonic() + pause > deadline
                if failure.reason is not LoadFailure.STORE_UNREACHABLE or last:
                    raise failure from error
                tell(f"{failure.message}; trying again in {pause:g} s")
            time.sleep(pause)
        raise AssertionError("pauses never end")

    def _connect(self, uri: str, create: bool) -> tuple[Any, str]:
        parts = urlsplit(uri)
        if parts.scheme == "s3" and parts.netloc:
            # Not split further: '?' and '#' are ordinary characters of a key.
            key = uri.removeprefix("s3://").removeprefix(parts.netloc).strip("/")
            return _s3(parts.netloc), f"{key}/" if key else ""
        if parts.scheme in ("http", "https") and parts.hostname:
            return HTTPStore.from_url(uri, client_options=_CLIENT, retry_config=_RETRY), ""
        if parts.scheme in ("", "file"):
            path = Path(unquote(parts.path)) if parts.scheme else Path(uri)
            if path.is_dir() or create:
                return LocalStore(path, mkdir=create), ""
            raise StepError(LoadFailure.MODEL_NOT_FOUND, f"{self.field}: there is no folder {path}")
        raise StepError(
            LoadFailure.MODEL_NOT_FOUND,
            f"{self.field}: expected s3://BUCKET/PATH, http(s)://HOST/PATH or a path, got {uri}",
        )

    def _failure(self, path: str, error: Exception) -> StepError:
        where, text = self.describe(path), str(error)
        first_line = text.splitlines()[0] if text else type(error).__name__
        # A listing of a bucket that is not there fails as any request may, but says the same.
        no_bucket = "<Code>NoSuchBucket</Code>" in text
        if no_bucket or (isinstance(error, FileNotFoundError) and _code(text) not in UNKNOWN_KEY):
            what = "there is no such bucket" if no_bucket else "no such object"
            return StepError(LoadFailure.MODEL_NOT_FOUND, f"{where}: {what}. Check {self.field}")
        refused = (
            exceptions.PermissionDeniedError,
            exceptions.UnauthenticatedError,
            PermissionError,
        )
        if isinstance(error, (*refused, FileNotFoundError)):
            return StepError(
                LoadFailure.ACCESS_DENIED,
                f"{where}: access denied{_code(text)}. Check the credentials and what they allow; "
                "S3 also says so of a missing object when the credentials lack s3:ListBucket",
            )
        if any(path in text for path in METADATA_PATHS):
            return StepError(
                LoadFailure.ACCESS_DENIED,
                f"{where}: no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or give the pod a role",
            )
        if isinstance(error, (exceptions.InvalidPathError, ValueError)):
            return StepError(
                LoadFailure.MODEL_NOT_FOUND, f"{where}: {first_line}. Check {self.field}"
            )
        if isinstance(error, (exceptions.UnknownConfigurationKeyError, OSError)):
            return StepError(LoadFailure.INTERNAL_ERROR, f"{where}: {first_line}")
        return StepError(
            LoadFailure.STORE_UNREACHABLE,
            f"{where}: {_cause(text) or first_line}. Check AWS_ENDPOINT_URL and the network",
        )


def split(uri: str) -> tuple[str, str]:
    """The folder that a file's URI lies in, and its name.

    >>> split("s3://data/flights/2013.parquet")
    ('s3://data/flights', '2013.parquet')
    """
    folder, _, name = uri.rpartition("/")
    return folder or ".", name


_CLIENT: Any = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(seconds=20),
    # Of a whole download, which may rightly be long; the two above notice a dead store.
    "timeout": timedelta(days=1),
}
_RETRY: Any = {"max_retries": 1, "retry_timeout": timedelta(seconds=10)}
"""Further attempts are made here, and told of."""


def _s3(bucket: str) -> S3Store:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {}
    if endpoint and not any(os.environ.get(name) for name in CREDENTIALS):
        # A store of one's own has no machine credentials to ask for: read it anonymously.
        options["skip_signature"] = True
    return S3Store(
        bucket,
        virtual_hosted_style_request=False,
        client_options=_CLIENT,
        retry_config=_RETRY,
        **options,
    )


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def _code(text: str) -> str:
    """S3's own word for a refusal, in brackets, where it gave one.

    >>> _code("... <Code>SignatureDoesNotMatch</Code> ...")
    ' (SignatureDoesNotMatch)'
    """
    _, found, rest = text.partition("<Code>")
    return f" ({rest.partition('</Code>')[0]})" if found else ""


def _cause(text: str) -> str:
    """What a failed connection failed at, from obstore's long description."""
    if "ConnectionRefused" in text:
        return "connection refused"
    if "dns error" in text or "failed to lookup" in text:
        return "the host name of the endpoint is not known"
    if "TimedOut" in text or "Timeout" in text or "timed out" in text:
        return "no answer in time"
    return ""
