"""One keep-alive HTTP connection that treats its server as the standard asks.

``Connection: close`` in an answer is honoured: the next request opens a new connection. So is a
connection that the server closed while it was idle. Where a server closes an idle connection in the
very moment in which a request is sent, not one byte of answer comes; then, and only on a connection
that was used before, the request is sent once more on a new one (RFC 9112, 9.3.1: a prediction
changes nothing, so to ask twice does no harm). Everything else that goes wrong is an error.
"""

import select
import socket
from dataclasses import dataclass
from http.client import HTTPConnection

from .reach import Endpoint

TIMEOUT_SECONDS = 15.0
_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class _UnansweredError(ConnectionError):
    """The connection ended before the first byte of an answer."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    retried: bool
    """Whether the request had to be sent a second time."""


class Connection:
    """Keeps one connection open for as long as the server lets it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._prefix = endpoint.prefix
        self._http = HTTPConnection(endpoint.host, endpoint.port, timeout=TIMEOUT_SECONDS)

    def post(self, path: str, body: bytes) -> Answer:
        """Sends JSON.

        Raises:
            OSError, HTTPException: the server cannot be reached, or broke off its answer.
        """
        if self._http.sock is not None and _was_closed(self._http.sock):
            self._http.close()
        reused = self._http.sock is not None
        try:
            return self._post(path, body, retried=False)
        except _UnansweredError:
            self._http.close()
            if not reused:
                raise
        try:
            return self._post(path, body, retried=True)
        except BaseException:
            self._http.close()
            raise

    def _post(self, path: str, body: bytes, retried: bool) -> Answer:
        headers = {"Content-Type": "application/json"}
        try:
            self._http.request("POST", self._prefix + path, body, headers)
            if not self._http.sock.recv(1, socket.MSG_PEEK):
                raise _UnansweredError("the server closed the connection without an answer")
        except _BROKEN as error:
            raise _UnansweredError(f"the connection broke before an answer: {error}") from None
        response = self._http.getresponse()  # it closes the connection where the server says so
        return Answer(response.status, response.read(), retried)

    def close(self) -> None:
        self._http.close()


def _was_closed(sock: socket.socket) -> bool:
    """Whether an idle connection has become readable: it ended, for nothing was asked."""
    readable, _, _ = select.select([sock], [], [], 0)
    return bool(readable)
