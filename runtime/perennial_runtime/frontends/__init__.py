"""Frontends: they read requests from sockets, whole, and write the responses.

The native frontend, the package perennial-front in Rust, is used if it is installed. The portable
one, Hypercorn, has the same features in Python and is several times slower.
"""

import importlib.util
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class FrontendError(Exception):
    """The requested frontend is not installed."""


Headers = Sequence[tuple[str, str]]


class Call(Protocol):
    """A complete request, or the reason why it is incomplete.

    It gets one response (but see ``respond_grpc``), at any time, from any thread.
    """

    @property
    def is_grpc(self) -> bool: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def body(self) -> bytes:
        """The body, or one gRPC message; empty if there is a ``problem``."""
        ...

    @property
    def view(self) -> memoryview:
        """The body without a copy, for large ones."""
        ...

    @property
    def size(self) -> int:
        """Length of the body in bytes."""
        ...

    @property
    def problem(self) -> str | None:
        """Reason for an incomplete body: ``too large`` or ``too slow``."""
        ...

    @property
    def compressed(self) -> bool:
        """True if the gRPC message is compressed with the method in ``grpc-encoding``."""
        ...

    @property
    def arrived(self) -> float:
        """Time of the request's first bytes, on the clock of ``time.perf_counter``."""
        ...

    @property
    def deadline(self) -> float | None:
        """Time when the client gives up, on the same clock; None if there is no deadline."""
        ...

    @property
    def cancelled(self) -> bool:
        """True if the client no longer waits for the response."""
        ...

    def header(self, name: str) -> str | None:
        """Return the value of a header, by its name in lower case."""
        ...

    def respond(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> bool:
        """Respond to an HTTP request. Return whether the client was still waiting."""
        ...

    def respond_grpc(self, body: bytes, more: bool = False) -> bool:
        """Respond to a gRPC message; in a stream, ``more`` responses may follow."""
        ...

    def fail_grpc(self, code: int, message: str) -> bool:
        """Abort a gRPC call with an error."""
        ...


Handler = Callable[[list[Call]], None]
"""Receives all requests that have become complete since the last call."""


@dataclass(frozen=True)
class Limits:
    """Limits for the clients of a frontend."""

    max_body_bytes: int
    max_connections: int
    pause_seconds: float
    """Maximum pause of a client within a request."""
    idle_seconds: float
    """Maximum time of a connection without a request."""
    request_seconds: float | None
    """Time after which a request gets 503, even if it still runs."""
    streams: Sequence[str]
    """Paths of the gRPC methods with a stream of messages in either direction."""
    data_at_header: str
    """Header, in lower case, with the offset of the numbers in a body.

    A frontend may align the body's memory at this offset.
    """
    tls_files: tuple[Path, Path] | None
    """Certificate chain and key, in PEM."""


class Frontend(Protocol):
    """A server of sockets that already listen."""

    @property
    def in_flight(self) -> int:
        """Number of requests that have begun to arrive and have no response yet."""
        ...

    def run(self) -> None:
        """Serve until ``close`` was called and the last connection has ended."""
        ...

    def drain(self) -> None:
        """Continue to serve, and ask clients to reconnect elsewhere."""
        ...

    def close(self) -> None:
        """Accept no more connections, and end when the requests in flight are finished."""
        ...


def create_frontend(
    kind: str, handler: Handler, listeners: Sequence[socket.socket], limits: Limits
) -> Frontend:
    """Create a frontend: ``native``, ``portable``, or ``auto`` for the best one.

    Raises:
        FrontendError: if it is not installed.
        ValueError: if the certificate or its key is invalid.
    """
    has_native = importlib.util.find_spec("perennial_front") is not None
    if kind == "native" or (kind == "auto" and has_native):
        if not has_native:
            raise FrontendError(
                "--front native: the package perennial-front is not installed. "
                "Fix: build it with Rust from runtime/front, or use --front portable"
            )
        from perennial_front import Front as NativeFrontend

        return NativeFrontend(
            handler,  # type: ignore[arg-type]  # its calls have the methods of Call
            [listener.fileno() for listener in listeners],
            max_body_bytes=limits.max_body_bytes,
            max_connections=limits.max_connections,
            pause_seconds=limits.pause_seconds,
            idle_seconds=limits.idle_seconds,
            request_seconds=limits.request_seconds,
            streams=limits.streams,
            data_at_header=limits.data_at_header,
            tls_files=limits.tls_files,
        )
    if importlib.util.find_spec("hypercorn") is None:
        raise FrontendError(
            "neither perennial-front nor hypercorn is installed. Fix: install runtime/front "
            "(this needs Rust), or the extra perennial[portable]"
        )
    from .portable import PortableFrontend

    return PortableFrontend(handler, listeners, limits)
