"""What S3, Google Cloud Storage and Azure have in common: obstore reads them all."""

import threading
from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from perennial_contracts.buckets import CLASS_OF, Place, options_of, refusal, unusable

from ..errors import LoadError
from .base import Blob, OverwrittenError, Span, strong

CHUNK_BYTES = 1024 * 1024
READ_TIMEOUT_SECONDS = 20.0
"""For each wait for more bytes; a long download may take longer."""
DOWNLOAD_SECONDS = 86400.0
"""Of a whole download, which may rightly be long; the timeouts above notice a dead store."""
_NO_SPAN = ("416 Range Not Satisfiable", "non-partial response")
"""What obstore says of an object without a first byte, and of a server that gives all of it."""


@dataclass(frozen=True)
class Bucket:
    """A bucket (Azure: a container), and how it is reached."""

    place: Place

    @property
    def uri(self) -> str:
        """What its objects' URIs begin with, up to the slash."""
        return self.place.uri

    def connect(self, seconds: float) -> Any:
        """An obstore store; a request may take ``seconds`` in all. No input or output.

        Raises:
            LoadError: AccessDenied where the variables do not fit.
        """
        from obstore import store
        from obstore.exceptions import GenericError

        make = getattr(store, CLASS_OF[self.place.kind])
        try:
            return make(self.place.name, **_options(seconds), **options_of(self.place))
        except GenericError as error:
            raise LoadError(*unusable(self.uri, self.place.kind, error)) from error

    def failure(
        self, path: str, error: Exception, purpose: str = "read", setting: str = "spec.model.uri"
    ) -> LoadError:
        """What went wrong at one of its objects, for people."""
        return LoadError(*refusal(f"{self.uri}/{path}", self.place.kind, error, purpose, setting))


def _options(seconds: float) -> dict[str, Any]:
    return {
        "client_options": {
            "allow_http": True,
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=READ_TIMEOUT_SECONDS),
            "timeout": timedelta(seconds=seconds),
        },
        # The caller tries again, and says so in the log.
        "retry_config": {"max_retries": 1, "retry_timeout": timedelta(seconds=10)},
    }


class ObjectSource:
    """A prefix of a bucket."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._connecting = threading.Lock()
        self._store: Any = None

    def describe(self, path: str) -> str:
        return f"{self._bucket.uri}/{self._prefix}{path}"

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        from obstore import exceptions

        try:
            with self._connecting:
                if self._store is None:
                    self._store = self._bucket.connect(DOWNLOAD_SECONDS)
            result, found = self._get(self._prefix + path, span, version)
            size: int = result.meta["size"]
            stream = self._read(path, result.stream(min_chunk_size=CHUNK_BYTES))
        except LoadError:
            raise
        except exceptions.PreconditionError as error:
            raise OverwrittenError(self.describe(path)) from error
        except Exception as error:
            raise self._failure(path, error) from error
        if version is not None and found != version:
            stream.close()
            raise OverwrittenError(self.describe(path))
        return Blob(size, stream, stream.close, found)

    def _get(self, key: str, span: Span | None, version: str | None) -> tuple[Any, str | None]:
        """obstore's result, and the version where it is of the span that was asked for."""
        from obstore import exceptions

        if span is not None:
            condition = {} if version is None else {"if_match": version}
            try:
                result = self._store.get(key, options={"range": tuple(span), **condition})
            except exceptions.GenericError as error:
                if not any(sign in str(error) for sign in _NO_SPAN):
                    raise
            else:
                if found := strong(result.meta["e_tag"]):
                    return result, found
        return self._store.get(key), None

    def _read(self, path: str, stream: Any) -> Generator[bytes, None, None]:
        try:
            for chunk in stream:
                yield bytes(chunk)
        except Exception as error:
            raise self._failure(path, error) from error

    def _failure(self, path: str, error: Exception) -> LoadError:
        return self._bucket.failure(self._prefix + path, error)
