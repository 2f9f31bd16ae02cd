"""The portable frontend: Hypercorn, an ASGI server in Python.

It adds the framing of gRPC, after
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from ..errors import UnavailableError
from ..protocol.grpc.status import OK, message_trailer
from . import Handler, Headers, Limits
from .portable_body import PREFIX, Body, Event, ReadError, Receive

Send = Callable[[Event], Awaitable[None]]

JSON = "application/json"
DEADLINE_EXCEEDED = 4
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


class _HttpResponse(NamedTuple):
    status: int
    content_type: str
    body: bytes
    headers: Headers


class _GrpcResponse(NamedTuple):
    code: int
    message: str
    body: bytes
    more: bool


class PortableFrontend:
    """A server of sockets that already listen."""

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
        """Serve until ``close`` was called and the last connection has ended."""
        asyncio.run(self._serve())

    def drain(self) -> None:
        """Continue to serve, and ask clients to reconnect elsewhere."""
        self._draining = True

    def close(self) -> None:
        """Accept no more connections, and end when the requests in flight are finished."""
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
        config.graceful_timeout = 3600.0  # the caller of close has a shorter limit
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
        request = _Request(scope, headers, Body(receive, self._limits))
        self.in_flight += 1
        try:
            if headers.get("content-type", "").startswith("application/grpc"):
                await self._grpc(request, send)
            else:
                await self._http(request, send)
        except ConnectionError:
            pass  # the client has disconnected
        finally:
            self._finish(request)

    async def _http(self, request: "_Request", send: Send) -> None:
        problem, body = None, b""
        try:
            body = await request.body.read()
        except ReadError as error:
            problem = error.problem
        call = _PortableCall(request, body, problem=problem)
        self._handler([call])
        seconds = self._limits.request_seconds
        deadline = None if seconds is None else call.arrived + seconds
        response: _HttpResponse = await self._next_response(call, deadline, request.body)
        headers = [
            (b"content-type", response.content_type.encode()),
            (b"server", b"perennial-runtime"),
        ]
        headers += [(name.encode(), value.encode()) for name, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        if request.scope["http_version"] != "2" and (self._draining or problem):
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        is_head = request.scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if is_head else response.body})

    async def _grpc(self, request: "_Request", send: Send) -> None:
        timeout = _seconds(request.headers.get("grpc-timeout"))
        is_stream = request.scope["path"] in self._limits.streams
        started = False
        code, message = OK, ""
        call: _PortableCall | None = None
        while True:
            if call is None:
                try:
                    part = await request.body.read_message()
                except ReadError as error:
                    code, message = error.code, error.problem
                    break
                if part is None:
                    break
                call = _PortableCall(
                    request, part[1], compressed=part[0], is_grpc=True, timeout=timeout
                )
                self._handler([call])
            response: _GrpcResponse = await self._next_response(call, call.deadline, request.body)
            if response.code != OK:
                code, message = response.code, response.message
                break
            if not started:
                await send(_GRPC_START)
                started = True
            frame = PREFIX.pack(False, len(response.body)) + response.body
            await send({"type": "http.response.body", "body": frame, "more_body": True})
            if not is_stream:
                break
            if response.more:
                self._finish(request)  # shutdown does not wait for a client that only listens
            else:
                call = None
        if not started:
            await send(_GRPC_START)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        trailers = [(b"grpc-status", str(code).encode())]
        if message:
            trailers.append((b"grpc-message", message_trailer(message).encode()))
        await send({"type": "http.response.trailers", "headers": trailers})

    def _finish(self, request: "_Request") -> None:
        """Stop counting a request as in flight."""
        self.in_flight -= request.is_in_flight
        request.is_in_flight = False

    async def _next_response(
        self, call: "_PortableCall", deadline: float | None, body: Body
    ) -> Any:
        """Return the handler's next response; after the deadline, an error.

        Raises:
            ConnectionError: if the client disconnects first.
        """
        if not call.responses.empty():
            return call.responses.get_nowait()
        response = asyncio.ensure_future(call.responses.get())
        disconnect = asyncio.ensure_future(body.wait_for_disconnect())
        timeout = None if deadline is None else deadline - perf_counter()
        await asyncio.wait(
            (response, disconnect), timeout=timeout, return_when=asyncio.FIRST_COMPLETED
        )
        call.cancelled = not response.done()
        is_disconnected = disconnect.done()
        disconnect.cancel()
        if response.done():
            return response.result()
        response.cancel()
        if is_disconnected:
            raise ConnectionError
        if call.is_grpc:
            return _GrpcResponse(DEADLINE_EXCEEDED, "deadline exceeded", b"", False)
        late = UnavailableError("the request took too long")
        return _HttpResponse(late.status, JSON, late.body(), ())


class _Request:
    """A request whose body may still be arriving."""

    def __init__(self, scope: Event, headers: dict[str, str], body: Body) -> None:
        self.scope = scope
        self.headers = headers
        self.body = body
        self.is_in_flight = True


class _PortableCall:
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
        self.responses: asyncio.Queue[_HttpResponse | _GrpcResponse] = asyncio.Queue()

    def respond(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> bool:
        return self._put(_HttpResponse(status, content_type, body, headers))

    def respond_grpc(self, body: bytes, more: bool = False) -> bool:
        return self._put(_GrpcResponse(OK, "", body, more))

    def fail_grpc(self, code: int, message: str) -> bool:
        return self._put(_GrpcResponse(code, message, b"", False))

    def _put(self, response: _HttpResponse | _GrpcResponse) -> bool:
        if self.cancelled:
            return False
        with contextlib.suppress(RuntimeError):  # the loop has ended
            if _running_loop() is self._loop:
                self.responses.put_nowait(response)
            else:
                self._loop.call_soon_threadsafe(self.responses.put_nowait, response)
        return True


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _seconds(timeout: str | None) -> float | None:
    """Convert ``grpc-timeout``, eight digits and a unit; None if it is invalid."""
    if not timeout or not timeout[:-1].isdecimal() or len(timeout) > 9:
        return None
    scale = _UNITS.get(timeout[-1])
    return None if scale is None else int(timeout[:-1]) * scale
