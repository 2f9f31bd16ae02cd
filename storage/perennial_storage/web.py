"""Models on a web server."""

import base64
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, quote, unquote

from perennial_contracts.web import Redirects

from .base import Blob, OverwrittenError, Span, strong
from .web_refusal import failure

TIMEOUT_SECONDS = 20.0
"""For a connection, and for each wait for more bytes; a long download may take longer."""
CHUNK_BYTES = 1024 * 1024
AGENT = {"User-Agent": "perennial-runtime"}
_RANGE_NOT_SATISFIABLE = 416


class WebSource:
    """A directory of a web server. Its query (a presigned URL's, say) goes along to every file."""

    def __init__(self, directory: SplitResult) -> None:
        self._directory = directory._replace(
            netloc=directory.netloc.rpartition("@")[2], fragment=""
        )
        self._headers = dict(AGENT)
        if directory.username:
            pair = f"{unquote(directory.username)}:{unquote(directory.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def describe(self, path: str) -> str:
        return self._directory._replace(path=self._directory.path + path, query="").geturl()

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        url = self._directory._replace(path=self._directory.path + quote(path)).geturl()
        return open_url(url, self.describe(path), self._headers, span, version)


def open_url(
    url: str,
    where: str,
    headers: Mapping[str, str],
    span: Span | None = None,
    version: str | None = None,
) -> Blob:
    """Starts to read what lies at a URL; ``where`` is its name in messages.

    Raises:
        LoadError: see :meth:`perennial_runtime.store.base.Source.open`.
    """
    conditions = {}
    if span is not None:
        conditions["Range"] = f"bytes={span.start}-{span.end - 1}"
    if version is not None:
        conditions["If-Range"] = version  # else a server may join two versions
    try:
        response = _OPENER.open(
            urllib.request.Request(url, headers={**headers, **conditions}),
            timeout=TIMEOUT_SECONDS,
        )
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE or span is None:
            raise failure(where, url, error, TIMEOUT_SECONDS) from error
        error.close()
        if version is not None:
            raise OverwrittenError(where) from error
        return open_url(url, where, headers)  # it is empty: there is no first byte
    except (OSError, http.client.HTTPException) as error:
        raise failure(where, url, error, TIMEOUT_SECONDS) from error
    chunks = _read(where, url, response)
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        if version is not None:
            response.close()
            raise OverwrittenError(where)
        length = response.headers.get("Content-Length", "")
        return Blob(int(length) if length.isdecimal() else None, chunks, response.close)
    found = strong(response.headers.get("ETag"))
    size = _whole(response.headers.get("Content-Range", ""), span)
    if size is not None and found is not None and found == (version or found):
        return Blob(size, chunks, response.close, found)
    response.close()
    if version is not None:
        raise OverwrittenError(where)
    return open_url(url, where, headers)  # it cannot be told from a later one: read it in one go


def _whole(content_range: str, span: Span | None) -> int | None:
    """The whole's size where an answer holds the span that was asked for.

    >>> _whole("bytes 0-9/42", Span(0, 10)), _whole("bytes 0-9/*", Span(0, 10))
    (42, None)
    """
    match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", content_range.strip())
    if match is None or span is None:
        return None
    first, last, size = map(int, match.groups())
    return size if (first, last) == (span.start, min(span.end, size) - 1) else None


def _read(where: str, url: str, response: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            # What came is passed on, so that it is not lost where the connection breaks off.
            chunk = response.read1(CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise failure(where, url, error, TIMEOUT_SECONDS) from error
        if not chunk:
            return
        yield chunk


_OPENER = urllib.request.build_opener(Redirects())
