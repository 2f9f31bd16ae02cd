"""What stands between the sockets and the application: requests in, answers out, whole.

The native front (the package perennial-front, made of Rust) is used where it is installed; the
portable one, Hypercorn, does the same in Python, several times slower.
"""

import importlib.util
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class FrontendError(Exception):
    """There is no such front here."""


Headers = Sequence[tuple[str, str]]


class Call(Protocol):
    """A request that has arrived whole, or the reason why it has not.

    It is answered once (but see ``respond_grpc``), then or later, from whatever thread.
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
        """The body, or one gRPC message; empty where ``problem`` says something."""
        ...

    @property
    def view(self) -> memoryview:
        """The same without a copy, for what is large."""
        ...

    @property
    def size(self) -> int:
        """The body's length in bytes."""
        ...

    @property
    def problem(self) -> str | None:
        """Why the body did not arrive: ``too large`` or ``too slow``."""
        ...

    @property
    def compressed(self) -> bool:
        """Whether the gRPC message is compressed as the header ``grpc-encoding`` says."""
        ...

    @property
    def arrived(self) -> float:
        """When the request began to arrive, on the clock of ``time.perf_counter``."""
        ...

    @property
    def deadline(self) -> float | None:
        """When the client gives up, on the same clock; None where it did not say."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""
        ...

    def header(self, name: str) -> str | None:
        """The value of a header, by its name in lower case."""
        ...

    def respond(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> bool:
        """Answers an HTTP request; whether somebody was still waiting."""
        ...

    def respond_grpc(self, body: bytes, more: bool = False) -> bool:
        """Answers a gRPC message; there may be ``more`` answers to it, where they are a stream."""
        ...

    def fail_grpc(self, code: int, message: str) -> bool:
        """Ends a gRPC call with an error."""
        ...


Handler = Callable[[list[Call]], None]
"""Takes all the requests that have become complete since it was last called."""


@dataclass(frozen=True)
class Limits:
    """What a front allows its clients."""

    max_body_bytes: int
    max_connections: int
    pause_seconds: float
    """How long a client may pause in the middle of a request."""
    idle_seconds: float
    """How long a connection may stay without a request."""
    request_seconds: float | None
    """After how long a request is answered with 503, whatever becomes of it."""
    streams: Sequence[str]
    """Paths of the gRPC methods that take or answer a stream of messages."""
    data_at_header: str
    """The header, in lower case, that says at which byte of a body its numbers begin: a front may
    see to it that they are aligned there."""
    tls_files: tuple[Path, Path] | None
    """Certificate chain and key, in PEM."""


class Frontend(Protocol):
    """Serves sockets that already listen."""

    @property
    def in_flight(self) -> int:
        """Requests that have begun to arrive and have no answer yet."""
        ...

    def run(self) -> None:
        """Serves until ``close`` was called and the last connection has ended."""
        ...

    def drain(self) -> None:
        """Asks clients to go elsewhere from now on, while it serves on."""
        ...

    def close(self) -> None:
        """Takes no more connections, and ends once what was started is finished."""
        ...


def create_frontend(
    kind: str, handler: Handler, listeners: Sequence[socket.socket], limits: Limits
) -> Frontend:
    """The ``native`` or ``portable`` front; ``auto``: the best that is installed.

    Raises:
        FrontendError: where it is not installed.
        ValueError: where the certificate or its key cannot be used.
    """
    has_native = importlib.util.find_spec("perennial_front") is not None
    if kind == "native" or (kind == "auto" and has_native):
        if not has_native:
            raise FrontendError(
                "--front native: the package perennial-front is not installed. "
                "Build it with Rust from runtime/front, or use portable"
            )
        from perennial_front import Front as NativeFront

        return NativeFront(
            handler,  # type: ignore[arg-type]  # its calls are such calls
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
            "neither perennial-front nor hypercorn is installed: "
            "install runtime/front (it needs Rust), or the extra perennial[portable]"
        )
    from .portable import PortableFrontend

    return PortableFrontend(handler, listeners, limits)
