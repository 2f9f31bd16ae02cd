"""What a request is answered with."""

from typing import NamedTuple

JSON = "application/json"
OCTETS = "application/octet-stream"


class Answer(NamedTuple):
    """A successful answer. Of a gRPC call only the body counts: the message."""

    body: bytes
    kind: str = JSON
    """Content type."""
    headers: tuple[tuple[str, str], ...] = ()
