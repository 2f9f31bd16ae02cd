"""Files on web servers. A query and credentials in the URL go along to every file."""

import base64
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote, urlsplit

from perennial_contracts.web import Redirects, refusal
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError
from .backend import ReadOnly
from .uris import without_secrets

TIMEOUT_SECONDS = 20.0
"""For a connection, and for each wait for more bytes; a long download may take longer."""
CHUNK_BYTES = 1024 * 1024
AGENT = {"User-Agent": "perennial-trainer"}


class WebFolder(ReadOnly):
    """A folder of a web server, which does not list its files."""

    def __init__(self, uri: str, field: str) -> None:
        parts = urlsplit(uri)
        self._field = field
        self._headers = dict(AGENT)
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._folder = parts._replace(
            netloc=parts.netloc.rpartition("@")[2], path=parts.path.rstrip("/"), fragment=""
        )

    def describe(self, path: str) -> str:
        return without_secrets(self._url(path))

    def chunks(self, path: str) -> Iterator[bytes]:
        return read(self._url(path), self._headers)

    def list(self, below: str) -> list[str]:
        raise StepError(
            LoadFailure.MODEL_NOT_FOUND,
            f"{self.describe(below)}: a web server does not list its files. Expected a bundle, or "
            f"the URI of one file. Check {self._field}",
        )

    def failure(self, path: str, error: Exception, purpose: str) -> StepError:
        return failure(self.describe(path), error, self._field)

    def _url(self, path: str) -> str:
        if not path:
            return self._folder.geturl()
        return self._folder._replace(path=f"{self._folder.path}/{quote(path)}").geturl()


def read(url: str, headers: Mapping[str, str]) -> Iterator[bytes]:
    """What lies at a URL; an answer that breaks off is an error."""
    request = urllib.request.Request(url, headers=dict(headers))
    with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
        length = response.headers.get("Content-Length", "")
        got = 0
        while chunk := response.read(CHUNK_BYTES):
            got += len(chunk)
            yield chunk
    if length.isdecimal() and got < int(length):
        raise http.client.IncompleteRead(b"", int(length) - got)


def failure(where: str, error: Exception, field: str) -> StepError:
    """What an error of :func:`read` means."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return StepError(*refusal(where, error.code, field))
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        what = f"no answer within {TIMEOUT_SECONDS:.0f} s"
    elif isinstance(cause, ConnectionRefusedError):
        what = f"connection refused. Check the host and the port in {field}"
    elif isinstance(cause, socket.gaierror):
        what = f"the host name is not known. Check {field}"
    elif isinstance(cause, ssl.SSLCertVerificationError):
        what = f"its certificate is not trusted: {cause.verify_message}"
    elif isinstance(cause, http.client.IncompleteRead):
        what = f"the answer broke off, {cause.expected} bytes before its end"
    elif isinstance(cause, (ValueError, http.client.InvalidURL)):
        return StepError(LoadFailure.MODEL_NOT_FOUND, f"{where}: {cause}. Check {field}")
    else:
        what = str(cause) or type(cause).__name__
    return StepError(LoadFailure.STORE_UNREACHABLE, f"{where}: {what}")


_OPENER = urllib.request.build_opener(Redirects())
