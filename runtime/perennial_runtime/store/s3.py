"""S3 and whatever speaks its protocol, set up by the usual ``AWS_*`` variables."""

import os
from collections.abc import Generator
from datetime import timedelta
from typing import Any

from perennial_contracts.outcome import LoadFailure

from ..errors import LoadError
from .base import Blob

CHUNK_BYTES = 4 * 1024 * 1024
READ_TIMEOUT_SECONDS = 20.0
"""For each wait for more bytes; a long download may take longer."""
DOWNLOAD_SECONDS = 86400.0
"""Of a whole download, which may rightly be long; the timeouts above notice a dead store."""
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


def connect(bucket: str, seconds: float) -> Any:
    """An obstore store for a bucket; a request may take ``seconds`` in all."""
    from obstore.store import S3Store

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {}
    if endpoint and not any(os.environ.get(name) for name in CREDENTIALS):
        # A store of one's own has no machine credentials to ask for: talk to it anonymously.
        options["skip_signature"] = True
    return S3Store(
        bucket,
        client_options={
            "allow_http": True,
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=READ_TIMEOUT_SECONDS),
            "timeout": timedelta(seconds=seconds),
        },
        # The caller tries again, and says so in the log.
        retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=10)},
        **options,
    )


class S3Source:
    """A prefix of a bucket."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._store: Any = None

    def describe(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{path}"

    def open(self, path: str) -> Blob:
        try:
            if self._store is None:
                self._store = connect(self._bucket, DOWNLOAD_SECONDS)
            result = self._store.get(self._prefix + path)
            size: int = result.meta["size"]
            stream = self._read(path, result.stream(min_chunk_size=CHUNK_BYTES))
            return Blob(size, stream, stream.close)
        except Exception as error:
            raise failure(self.describe(path), error) from error

    def _read(self, path: str, stream: Any) -> Generator[bytes, None, None]:
        try:
            for chunk in stream:
                yield bytes(chunk)
        except Exception as error:
            raise failure(self.describe(path), error) from error


def failure(
    where: str, error: Exception, purpose: str = "read", setting: str = "spec.model.uri"
) -> LoadError:
    """What went wrong at an object, for people.

    Args:
        where: the object's URI.
        error: what obstore raised.
        purpose: ``read`` or ``write``.
        setting: where the URI comes from.
    """
    from obstore import exceptions

    text = str(error)
    first_line = text.splitlines()[0] if text else type(error).__name__
    if isinstance(error, FileNotFoundError) and _code(text) not in UNKNOWN_KEY:
        what = "there is no such bucket" if "NoSuchBucket" in text else "no such object"
        return LoadError(LoadFailure.MODEL_NOT_FOUND, f"{where}: {what}. Check {setting}")
    refused = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    if isinstance(error, (*refused, FileNotFoundError)):
        hint = (
            "; S3 also says so of a missing object when the credentials lack s3:ListBucket"
            if purpose == "read"
            else ""
        )
        return LoadError(
            LoadFailure.ACCESS_DENIED,
            f"{where}: access denied{_code(text)}. Check the credentials and their "
            f"permission to {purpose}{hint}",
        )
    if any(path in text for path in METADATA_PATHS):
        return LoadError(
            LoadFailure.ACCESS_DENIED,
            f"{where}: no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or give the pod a role",
        )
    if isinstance(error, (exceptions.InvalidPathError, ValueError)):
        return LoadError(LoadFailure.MODEL_NOT_FOUND, f"{where}: {first_line}. Check {setting}")
    if isinstance(error, exceptions.UnknownConfigurationKeyError):
        return LoadError(LoadFailure.INTERNAL_ERROR, f"{where}: {first_line}")
    return LoadError(
        LoadFailure.STORE_UNREACHABLE,
        f"{where}: {_cause(text) or first_line}. Check AWS_ENDPOINT_URL and the network",
    )


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
