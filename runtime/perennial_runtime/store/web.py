"""Models on a web server."""

import base64
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import SplitResult, quote, unquote

from perennial_contracts.outcome import LoadFailure

from ..errors import LoadError
from .base import Blob

TIMEOUT_SECONDS = 20.0
"""For a connection, and for each wait for more bytes; a long download may take longer."""
CHUNK_BYTES = 1024 * 1024
RETRIED = {408, 425, 429}
"""Statuses below 500 that say: later."""


class WebSource:
    """A directory of a web server. Its query (a presigned URL's, say) goes along to every file."""

    def __init__(self, directory: SplitResult) -> None:
        self._directory = directory._replace(
            netloc=directory.netloc.rpartition("@")[2], fragment=""
        )
        self._headers = {"User-Agent": "perennial-runtime"}
        if directory.username:
            pair = f"{unquote(directory.username)}:{unquote(directory.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def describe(self, path: str) -> str:
        return self._directory._replace(path=self._directory.path + path, query="").geturl()

    def open(self, path: str) -> Blob:
        url = self._directory._replace(path=self._directory.path + quote(path)).geturl()
        try:
            response = urllib.request.urlopen(
                urllib.request.Request(url, headers=self._headers), timeout=TIMEOUT_SECONDS
            )
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(path, error) from error
        size = response.headers.get("Content-Length")
        length = int(size) if size and size.isdecimal() else None
        return Blob(length, self._read(path, response), response.close)

    def _read(self, path: str, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while True:
            try:
                chunk = response.read(CHUNK_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise self._failure(path, error) from error
            if not chunk:
                return
            yield chunk

    def _failure(self, path: str, error: Exception) -> LoadError:
        where = self.describe(path)
        if isinstance(error, urllib.error.HTTPError):
            with error:
                return self._refusal(where, error.code)
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(cause, TimeoutError):
            what = f"no answer within {TIMEOUT_SECONDS:.0f} s"
        elif isinstance(cause, ConnectionRefusedError):
            what = "connection refused. Check the host and the port"
        elif isinstance(cause, socket.gaierror):
            what = f"the host name {self._directory.hostname} is not known. Check spec.model.uri"
        elif isinstance(cause, ssl.SSLCertVerificationError):
            what = f"its certificate is not trusted: {cause.verify_message}"
        else:
            what = str(cause) or type(cause).__name__
        return LoadError(LoadFailure.STORE_UNREACHABLE, f"{where}: {what}")

    @staticmethod
    def _refusal(where: str, status: int) -> LoadError:
        if status in (401, 403, 407):
            return LoadError(
                LoadFailure.ACCESS_DENIED,
                f"{where}: access denied (HTTP {status}). Check the credentials",
            )
        if status >= 500 or status in RETRIED:
            return LoadError(
                LoadFailure.STORE_UNREACHABLE, f"{where}: the server failed (HTTP {status})"
            )
        return LoadError(
            LoadFailure.MODEL_NOT_FOUND, f"{where}: not there (HTTP {status}). Check spec.model.uri"
        )
