"""The front where there is no native one: Hypercorn, an ASGI server in Python.

gRPC's framing is done here, after
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any

from ..errors import RequestTimeoutError, UnavailableError
from ..protocol.grpc.status import OK, code_of, message_trailer
from . import Handler, Headers, Limits

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

JSON = "application/json"
_PREFIX = struct.Struct(">BI")
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_GRPC_START: Event = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/grpc"),
        (b"grpc-accept-encoding", b"identity,gzip,deflate"),
    ],
    "trailers": True,
}
_NO_ANSWER = "internal error; the server's log says more"


class PortableFrontend:
    """Serves sockets that already listen."""

    def __init__(
        self, handler: Handler, listeners: Sequence[socket.socket], limits: Limits
    ) -> None:
        self.in_flight = 0
        self._handler = handler
        self._listeners = listeners
        self._limits = limits
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()

    def run(self) -> None:
        asyncio.run(self._serve())

    def drain(self) -> None:
        self._draining = True

    def close(self) -> None:
        self.drain()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._closing.set)

    async def _serve(self) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        self._loop = asyncio.get_running_loop()
        config = Config()
        config.bind = [f"fd://{listener.fileno()}" for listener in self._listeners]
        config.keep_alive_timeout = self._limits.idle_seconds
        config.keep_alive_max_requests = 2**31
        config.graceful_timeout = 3600.0  # whoever calls close has a limit of its own
        config.include_server_header = False
        config.errorlog = None
        if self._limits.tls_files is not None:
            config.certfile, config.keyfile = map(str, self._limits.tls_files)
        closing: Any = self._closing.wait
        await serve(self._app, config, shutdown_trigger=closing, mode="asgi")  # type: ignore[arg-type]

    async def _app(self, scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        request = _Request(scope, headers, _Body(receive, self._limits))
        self.in_flight += 1
        try:
            if headers.get("content-type", "").startswith("application/grpc"):
                await self._grpc(request, send)
            else:
                await self._http(request, send)
        except ConnectionError:
            pass  # the client went away
        finally:
            self._leave(request)

    async def _http(self, request: "_Request", send: Send) -> None:
        problem, body = None, b""
        try:
            body = await request.body.whole()
        except _ReadError as error:
            problem = error.problem
        call = _Call(request, body, problem=problem)
        self._handler([call])
        seconds = self._limits.request_seconds
        late = None if seconds is None else call.arrived + seconds
        status, kind, data, more = await self._answer(call, late, request.body) or (
            500,
            JSON,
            b'{"error":"%s"}' % _NO_ANSWER.encode(),
            (),
        )
        headers = [(b"content-type", kind.encode()), (b"server", b"perennial-runtime")]
        headers += [(name.encode(), value.encode()) for name, value in more]
        headers.append((b"content-length", str(len(data)).encode()))
        if request.scope["http_version"] != "2" and (self._draining or problem):
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if request.scope["method"] == "HEAD":
            data = b""
        await send({"type": "http.response.body", "body": data})

    async def _grpc(self, request: "_Request", send: Send) -> None:
        left = _seconds(request.headers.get("grpc-timeout"))
        streams = request.scope["path"] in self._limits.streams
        started = False
        code, message = OK, ""
        call: _Call | None = None
        while True:
            if call is None:
                try:
                    part = await request.body.message()
                except _ReadError as error:
                    code, message = error.code, error.problem
                    break
                if part is None:
                    break
                call = _Call(request, part[1], compressed=part[0], is_grpc=True, timeout=left)
                self._handler([call])
            answer = await self._answer(call, call.deadline, request.body)
            if answer is None or answer[0] != OK:
                code, message = (13, _NO_ANSWER) if answer is None else (answer[0], answer[1])
                break
            _, _, data, more = answer
            if not started:
                await send(_GRPC_START)
                started = True
            prefix = _PREFIX.pack(False, len(data))
            await send({"type": "http.response.body", "body": prefix + data, "more_body": True})
            if not streams:
                break
            if more:
                self._leave(request)  # whoever only listens is not waited for
            else:
                call = None
        if not started:
            await send(_GRPC_START)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        trailers = [(b"grpc-status", str(code).encode())]
        if message:
            trailers.append((b"grpc-message", message_trailer(message).encode()))
        await send({"type": "http.response.trailers", "headers": trailers})

    def _leave(self, request: "_Request") -> None:
        """Counts a request no more as in flight."""
        self.in_flight -= request.is_in_flight
        request.is_in_flight = False

    async def _answer(self, call: "_Call", deadline: float | None, body: "_Body") -> Any:
        """What the handler answers next; None where it gives none. Late, an error."""
        if not call.replies.empty():
            return call.replies.get_nowait()
        reply = asyncio.ensure_future(call.replies.get())
        gone = asyncio.ensure_future(body.gone())
        left = None if deadline is None else deadline - perf_counter()
        await asyncio.wait((reply, gone), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        call.cancelled = not reply.done()
        is_gone = gone.done()
        gone.cancel()
        if reply.done():
            return reply.result()
        reply.cancel()
        if is_gone:
            raise ConnectionError
        late = UnavailableError("the request took too long")
        if call.is_grpc:
            return 4, "deadline exceeded", b"", False
        return late.status, JSON, late.body(), ()


class _Request:
    """What is known before the body has come."""

    def __init__(self, scope: Event, headers: dict[str, str], body: "_Body") -> None:
        self.scope = scope
        self.headers = headers
        self.body = body
        self.is_in_flight = True


class _ReadError(Exception):
    """Why a body was not read to its end."""

    def __init__(self, problem: str, code: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.code = code


class _Body:
    """The body of a request as it comes."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._limits = limits
        self._buffer = bytearray()
        self._ended = False

    async def whole(self) -> bytes:
        while not self._ended:
            await self._more()
            if len(self._buffer) > self._limits.max_body_bytes:
                raise _ReadError("too large", 8)
        return bytes(self._buffer)

    async def message(self) -> tuple[bool, bytes] | None:
        """The next gRPC message, and whether it is compressed; None at the end."""
        limit = self._limits.max_body_bytes
        while True:
            if len(self._buffer) >= _PREFIX.size:
                flag, size = _PREFIX.unpack_from(self._buffer)
                if size > limit:
                    raise _ReadError(f"message: expected at most {limit} bytes, got {size}", 8)
                end = _PREFIX.size + size
                if len(self._buffer) >= end:
                    message = bytes(self._buffer[_PREFIX.size : end])
                    del self._buffer[:end]
                    return bool(flag), message
            if self._ended:
                if self._buffer:
                    raise _ReadError("the message ends early", 13)
                return None
            await self._more()

    async def gone(self) -> None:
        """Returns when the client goes away; what else it sends is kept."""
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                return
            self._take(event)

    async def _more(self) -> None:
        try:
            event = await asyncio.wait_for(self._receive(), self._limits.pause_seconds)
        except TimeoutError:
            raise _ReadError("too slow", code_of(RequestTimeoutError(""))) from None
        if event["type"] == "http.disconnect":
            raise ConnectionError
        self._take(event)

    def _take(self, event: Event) -> None:
        self._buffer += event.get("body", b"")
        self._ended = not event.get("more_body", False)


class _Call:
    """See :class:`perennial_runtime.frontends.Call`."""

    def __init__(
        self,
        request: _Request,
        body: bytes,
        *,
        problem: str | None = None,
        compressed: bool = False,
        is_grpc: bool = False,
        timeout: float | None = None,
    ) -> None:
        scope = request.scope
        self.method: str = scope["method"]
        self.path: str = scope["raw_path"].decode("latin-1").partition("?")[0]
        self.query: str = scope["query_string"].decode("latin-1")
        self.body = body
        self.view = memoryview(body)
        self.size = len(body)
        self.problem = problem
        self.compressed = compressed
        self.is_grpc = is_grpc
        self.arrived = perf_counter()
        self.deadline = None if timeout is None else self.arrived + timeout
        self.cancelled = False
        self.header = request.headers.get
        self._loop = asyncio.get_running_loop()
        self.replies: asyncio.Queue[Any] = asyncio.Queue()

    def respond(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> bool:
        return self._reply((status, content_type, body, headers))

    def respond_grpc(self, body: bytes, more: bool = False) -> bool:
        return self._reply((OK, "", body, more))

    def fail_grpc(self, code: int, message: str) -> bool:
        return self._reply((code, message, b"", False))

    def _reply(self, reply: object) -> bool:
        if self.cancelled:
            return False
        with contextlib.suppress(RuntimeError):  # the loop has ended
            if _running() is self._loop:
                self.replies.put_nowait(reply)
            else:
                self._loop.call_soon_threadsafe(self.replies.put_nowait, reply)
        return True


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _seconds(timeout: str | None) -> float | None:
    """What ``grpc-timeout`` means: at most eight digits and a unit."""
    if not timeout or not timeout[:-1].isdecimal() or len(timeout) > 9:
        return None
    scale = _UNITS.get(timeout[-1])
    return None if scale is None else int(timeout[:-1]) * scale
