"""Single HTTP exchange that counts bytes as a load generator does."""

import socket
from dataclasses import dataclass

from .works import HTTP_PATH


@dataclass(frozen=True)
class Answer:
    """HTTP response."""

    status: int
    headers: dict[str, str]
    """Headers by name in lower case."""
    body: bytes
    size: int
    """Bytes of the response: status line, headers, body with its chunks' framing."""


def post(port: int, body: bytes, headers: dict[str, str], timeout: float = 30) -> Answer:
    """Post to the infer route with the headers that wrk sends.

    Raises:
        OSError: there is no connection, or it ends within a response.
    """
    lines = [
        f"POST {HTTP_PATH} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        received = b""
        while (answer := parse(received)) is None:
            data = connection.recv(1 << 20)
            if not data:
                raise ConnectionError(f"the connection ended after {len(received)} bytes")
            received += data
    return answer


def parse(received: bytes) -> Answer | None:
    """Parse a complete response; return ``None`` if some of it is missing.

    >>> parse(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi").body
    b'hi'
    >>> parse(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nhi")
    """
    head, found, rest = received.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body: bytes | None
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunk(rest)
    else:
        length = int(headers.get("content-length", 0))
        body = rest[:length] if len(rest) >= length else None
    if body is None:
        return None
    return Answer(int(first.split()[1]), headers, body, len(received))


def _unchunk(data: bytes) -> bytes | None:
    parts = b""
    while True:
        size, found, data = data.partition(b"\r\n")
        if not found:
            return None
        length = int(size.partition(b";")[0], 16)
        if len(data) < length + 2:
            return None
        if length == 0:
            return parts
        parts, data = parts + data[:length], data[length + 2 :]
