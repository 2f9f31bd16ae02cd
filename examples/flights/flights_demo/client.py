"""HTTP connection with keep-alive, which ends and is reopened as in RFC 9112.

After ``Connection: close`` in a response, and after the server closed an idle connection, the next
request opens a new connection. A server can also close an idle connection just as a request is
sent, so that not one byte of the response arrives. Then the request is sent once more on a new
connection, but only if the connection was used before (RFC 9112, 9.3.1: a prediction is
idempotent). All other failures are errors.
"""

import select
import socket
from dataclasses import dataclass
from http.client import HTTPConnection

from .reach import Endpoint

TIMEOUT_SECONDS = 15.0
_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class _UnansweredError(ConnectionError):
    """Error: the connection ended before the first byte of a response."""


@dataclass(frozen=True)
class Response:
    """Response of the server."""

    status: int
    body: bytes
    retried: bool
    """True if the request was sent twice."""


class Connection:
    """Connection that stays open as long as the server permits."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._prefix = endpoint.prefix
        self._http = HTTPConnection(endpoint.host, endpoint.port, timeout=TIMEOUT_SECONDS)

    def post(self, path: str, body: bytes) -> Response:
        """Post JSON.

        Raises:
            OSError, HTTPException: the server cannot be reached, or its response is incomplete.
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

    def _post(self, path: str, body: bytes, retried: bool) -> Response:
        headers = {"Content-Type": "application/json"}
        try:
            self._http.request("POST", self._prefix + path, body, headers)
            if not self._http.sock.recv(1, socket.MSG_PEEK):
                raise _UnansweredError("the server closed the connection without an answer")
        except _BROKEN as error:
            raise _UnansweredError(f"the connection broke before an answer: {error}") from None
        response = self._http.getresponse()  # closes the connection if the server requests it
        return Response(response.status, response.read(), retried)

    def close(self) -> None:
        self._http.close()


def _was_closed(sock: socket.socket) -> bool:
    """Return whether an idle connection was closed: it is readable without a request."""
    readable, _, _ = select.select([sock], [], [], 0)
    return bool(readable)
