"""Read request bodies and gRPC messages from the events of an ASGI server."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import RequestTimeoutError
from ..protocol.grpc.status import code_of
from . import Limits

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]

RESOURCE_EXHAUSTED = 8
INTERNAL = 13
PREFIX = struct.Struct(">BI")
"""Before each gRPC message: 1 if it is compressed, and its length."""


class ReadError(Exception):
    """A body was not read to its end."""

    def __init__(self, problem: str, code: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.code = code


class Body:
    """The body of a request while it arrives."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._limits = limits
        self._buffer = bytearray()
        self._ended = False

    async def read(self) -> bytes:
        """Return the whole body."""
        while not self._ended:
            await self._receive_more()
            if len(self._buffer) > self._limits.max_body_bytes:
                raise ReadError("too large", RESOURCE_EXHAUSTED)
        return bytes(self._buffer)

    async def read_message(self) -> tuple[bool, bytes] | None:
        """Return the next gRPC message and whether it is compressed; None at the end."""
        limit = self._limits.max_body_bytes
        while True:
            if len(self._buffer) >= PREFIX.size:
                flag, size = PREFIX.unpack_from(self._buffer)
                if size > limit:
                    problem = f"message: expected at most {limit} bytes, got {size}"
                    raise ReadError(problem, RESOURCE_EXHAUSTED)
                end = PREFIX.size + size
                if len(self._buffer) >= end:
                    message = bytes(self._buffer[PREFIX.size : end])
                    del self._buffer[:end]
                    return bool(flag), message
            if self._ended:
                if self._buffer:
                    raise ReadError("the message ends early", INTERNAL)
                return None
            await self._receive_more()

    async def wait_for_disconnect(self) -> None:
        """Return when the client disconnects; other events are kept."""
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                return
            self._append(event)

    async def _receive_more(self) -> None:
        try:
            event = await asyncio.wait_for(self._receive(), self._limits.pause_seconds)
        except TimeoutError:
            raise ReadError("too slow", code_of(RequestTimeoutError(""))) from None
        if event["type"] == "http.disconnect":
            raise ConnectionError
        self._append(event)

    def _append(self, event: Event) -> None:
        self._buffer += event.get("body", b"")
        self._ended = not event.get("more_body", False)
