"""Files on web servers, over http and https, with basic authentication.

The query of the URL (of a presigned one, say) and its credentials are sent for every file, but
never to another host and never to a log.
"""

import base64
import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import IO
from urllib.parse import SplitResult, quote, unquote, urlsplit

from perennial_contracts.wire.outcome import LoadFailure

from .errors import OverwrittenError, StorageError, not_found
from .store import Blob, ReadOnly, Span, strong

TIMEOUT_SECONDS = 20.0
"""For a connection, and for each wait for more bytes, not for the whole download."""
CHUNK_BYTES = 1024 * 1024
_RANGE_NOT_SATISFIABLE = 416
_TRY_LATER = {408, 425, 429}
"""Statuses below 500 that ask for a later attempt."""


class WebStore(ReadOnly):
    """A folder of a web server, which cannot list its files."""

    def __init__(self, folder: SplitResult, field: str, agent: str) -> None:
        """Remember the folder; sends nothing.

        Args:
            folder: the folder's URL, with its query and credentials; its path ends in a slash.
            field: the setting that holds the URL, for messages.
            agent: the User-Agent header.
        """
        self._folder = folder._replace(netloc=folder.netloc.rpartition("@")[2], fragment="")
        self._field = field
        self._headers = {"User-Agent": agent, **_basic_auth(folder)}

    def describe(self, path: str) -> str:
        return self._folder._replace(path=self._folder.path + path, query="").geturl()

    def connect(self) -> None:
        """Do nothing: there is no client to set up."""

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        url = self._folder._replace(path=self._folder.path + quote(path)).geturl()
        return open_url(url, self.describe(path), self._field, self._headers, span, version)

    def list(self, below: str, limit: int | None = None) -> list[str]:
        raise not_found(
            self.describe(below),
            "a web server does not list its files. Expected a bundle, or the URI of one file",
            self._field,
        )


def open_url(
    url: str,
    uri: str,
    field: str,
    headers: Mapping[str, str],
    span: Span | None = None,
    version: str | None = None,
) -> Blob:
    """Start to read the object at a URL.

    Args:
        url: where to send the request.
        uri: the object's URI for messages, without secrets.
        field: the setting that holds the URI, for messages.
        headers: of the request, beside those for the span.
        span: see :meth:`perennial_storage.store.Store.open`.
        version: see there.

    Raises:
        StorageError: see :meth:`perennial_storage.store.Store.open`.
    """
    conditions = {}
    if span is not None:
        conditions["Range"] = f"bytes={span.start}-{span.end - 1}"
    if version is not None:
        conditions["If-Range"] = version  # otherwise a server may mix two versions
    try:
        response = _OPENER.open(
            urllib.request.Request(url, headers={**headers, **conditions}),
            timeout=TIMEOUT_SECONDS,
        )
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE or span is None:
            raise explain(uri, url, error, field) from error
        error.close()
        if version is not None:
            raise OverwrittenError(uri) from error
        return open_url(url, uri, field, headers)  # the object is empty: it has no first byte
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise explain(uri, url, error, field) from error
    chunks = _read(response, uri, url, field)
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        if version is not None:
            response.close()
            raise OverwrittenError(uri)
        length = response.headers.get("Content-Length", "")
        return Blob(int(length) if length.isdecimal() else None, chunks, response.close)
    found = strong(response.headers.get("ETag"))
    size = _whole_size(response.headers.get("Content-Range", ""), span)
    if size is not None and found is not None and found == (version or found):
        return Blob(size, chunks, response.close, found)
    response.close()
    if version is not None:
        raise OverwrittenError(uri)
    # Without a version, later parts might belong to other contents: read all of it at once.
    return open_url(url, uri, field, headers)


def explain(uri: str, url: str, error: Exception, field: str) -> StorageError:
    """Return what an error of urllib means.

    Args:
        uri: the object's URI for messages, without secrets.
        url: the URL that was requested.
        error: any exception that urllib raised.
        field: the setting that holds the URI.
    """
    if isinstance(error, urllib.error.HTTPError):
        with error:
            return explain_status(uri, error.code, field)
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    detail, hint = str(cause).partition("\n")[0] or type(cause).__name__, ""
    if isinstance(cause, TimeoutError):
        detail = f"no response within {TIMEOUT_SECONDS:.0f} s"
    elif isinstance(cause, ConnectionRefusedError):
        detail, hint = "connection refused", f"Check the host and the port in {field}"
    elif isinstance(cause, socket.gaierror):
        detail = f"the host name {urlsplit(url).hostname} is unknown"
        hint = f"Check {field}"
    elif isinstance(cause, ssl.SSLCertVerificationError):
        detail = f"the certificate is not trusted: {cause.verify_message}"
    elif isinstance(cause, http.client.InvalidURL | ValueError):
        return not_found(uri, detail, field)
    return StorageError(LoadFailure.STORE_UNREACHABLE, uri, detail, hint, field)


def explain_status(uri: str, status: int, field: str) -> StorageError:
    """Return what an HTTP status of 400 or more means."""
    if status in (401, 403, 407):
        return StorageError(
            LoadFailure.ACCESS_DENIED,
            uri,
            f"access denied (HTTP {status})",
            "Check the credentials",
            field,
        )
    if status >= 500 or status in _TRY_LATER:
        detail = f"the server failed (HTTP {status})"
        return StorageError(LoadFailure.STORE_UNREACHABLE, uri, detail, field=field)
    return not_found(uri, f"not found (HTTP {status})", field)


def _basic_auth(url: SplitResult) -> dict[str, str]:
    """Return the Authorization header for the user and password in a URL."""
    if not url.username:
        return {}
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _whole_size(content_range: str, span: Span | None) -> int | None:
    """Return the object's size if a response contains exactly the requested span.

    >>> _whole_size("bytes 0-9/42", Span(0, 10)), _whole_size("bytes 0-9/*", Span(0, 10))
    (42, None)
    """
    match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", content_range.strip())
    if match is None or span is None:
        return None
    first, last, size = map(int, match.groups())
    return size if (first, last) == (span.start, min(span.end, size) - 1) else None


def _read(response: http.client.HTTPResponse, uri: str, url: str, field: str) -> Iterator[bytes]:
    while True:
        try:
            # read1 returns what has arrived, so that nothing is lost if the connection breaks.
            chunk = response.read1(CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise explain(uri, url, error, field) from error
        if not chunk:
            return
        yield chunk


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects; sends credentials only to the host that they were for."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if request is not None and (before.scheme, before.netloc) != (after.scheme, after.netloc):
            request.remove_header("Authorization")
        return request


_OPENER = urllib.request.build_opener(_Redirects())
