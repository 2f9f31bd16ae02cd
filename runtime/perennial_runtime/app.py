"""The application: sends each request of a frontend to its route, and responds.

A request's way through the runtime:

1. A frontend (``frontends/``) reads it whole and calls ``App`` with all requests that are complete.
2. ``App`` finds the route by path, in the table that the routers (``routers/``) have built.
3. A route without a handler responds by itself: health, metadata, metrics, feedback, the page.
4. Otherwise the route's handler decodes the body to tensors, with a codec (``protocol/``).
5. The engine (``engine/``) runs the model, for several requests together if that is faster.
6. The monitor (``monitoring/``) counts the rows, captures them if configured, and makes their ids.
7. The handler encodes the results, and the frontend sends them.

Steps 3 to 7 run in the frontend's thread if they are quick, else in the threads of a pool. Any step
may raise a ``RequestError``, which becomes the response: an HTTP status or a gRPC status code.
"""

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from . import log
from .encoding import WORTHWHILE_BYTES, choose_encoding, compress
from .errors import (
    BodyTooLargeError,
    ClientGoneError,
    MethodNotAllowedError,
    RequestError,
    RequestTimeoutError,
    TooManyRequestsError,
    UnforeseenError,
    UnknownMethodError,
)
from .frontends import Call
from .metrics import Metrics
from .protocol.grpc.status import code_of
from .routing import JSON, UNMATCHED, Response, Route, Routes

if TYPE_CHECKING:  # these import ONNX Runtime, which happens when the server is already live
    from .engine.engine import Engine, Inference
    from .engine.thread_pool import ThreadPool

INLINE_SECONDS = 0.002
INLINE_BYTES = 64 * 1024
"""Longest run and largest body that the frontend's thread handles by itself. A thread of the pool
takes larger ones, so that probes get a response meanwhile; for small ones the hand-over would cost
more than the work."""

CLIENT_GONE = ClientGoneError.status

LONGEST_MESSAGE = 1024
"""Maximum number of characters of a message in a gRPC trailer."""

Work = tuple[Route, Call]


class App:
    """Responds to calls while the model is loading, while it serves, while it drains."""

    def __init__(
        self,
        routes: Routes,
        not_found: Callable[[str], RequestError],
        metrics: Metrics,
        max_body_bytes: int,
        max_in_flight: int,
        log_requests: bool,
    ) -> None:
        """Create the application.

        Args:
            routes: routes by path; may change later.
            not_found: builds the error for a path without a route.
            metrics: counts requests.
            max_body_bytes: limit of the frontend, for the message of the error.
            max_in_flight: largest number of requests that wait for a thread.
            log_requests: log a line for each request.
        """
        self.metrics = metrics
        self._routes = routes
        self._not_found = not_found
        self._max_body_bytes = max_body_bytes
        self._max_in_flight = max_in_flight
        self._log_requests = log_requests
        self._engine: Engine | None = None
        self._pool: ThreadPool[Work] | None = None
        self._run_seconds: Callable[[], float] = lambda: 0.0

    def serve(
        self, engine: "Engine", pool: "ThreadPool[Work]", run_seconds: Callable[[], float]
    ) -> None:
        """Start to run the model. ``run_seconds`` returns the average time of a run."""
        self._engine, self._pool, self._run_seconds = engine, pool, run_seconds

    def __call__(self, calls: Sequence[Call]) -> None:
        """Respond to calls, or put them in the queue of the thread pool."""
        quick: list[Work] = []
        slow: list[Work] = []
        is_quick = self._run_seconds() <= INLINE_SECONDS
        for call in calls:
            route = self._routes.get(call.path)
            try:
                if route is None or (route.protocol == "grpc") != call.is_grpc:
                    route = UNMATCHED
                    raise self._no_route(call)
                if call.method != route.method:
                    raise MethodNotAllowedError(call.method, route.method)
                if call.problem is not None:
                    raise self._incomplete(call.problem)
            except RequestError as error:
                self._fail(route or UNMATCHED, call, error)
                continue
            if call.size <= INLINE_BYTES and (is_quick or route.handler is None):
                quick.append((route, call))
            else:
                slow.append((route, call))
        if slow:
            self._enqueue(slow)
        if quick:
            self.process(quick)

    def process(self, work: Sequence[Work]) -> None:
        """Respond to calls in this thread. Never raises."""
        inferences: list[Inference] = []
        for route, call in work:
            if call.cancelled:
                self._count(route, CLIENT_GONE, call)
                continue
            try:
                if route.handler is None:
                    if route.submit is None:
                        self._respond(route, call)
                    else:
                        route.submit(partial(self._respond, route, call))
                else:
                    assert self._engine is not None
                    inferences.append(self._engine.decode(route, call))
            except Exception as error:
                self._fail(route, call, error)
        if not inferences:
            return
        assert self._engine is not None
        self._engine.run(inferences)
        for inference in inferences:
            try:
                if inference.error is not None:
                    raise inference.error
                response = inference.handler.encode(
                    inference.request, inference.results, inference.ids
                )
                self._send(inference.route, inference.call, response)
            except Exception as error:
                self._fail(inference.route, inference.call, error)

    def _respond(self, route: Route, call: Call) -> None:
        """Respond to a call without the model. Never raises."""
        assert route.respond is not None
        try:
            response = route.respond(call)
            if response is None:
                self._count(route, 200, call)
            else:
                self._send(route, call, response)
        except Exception as error:
            self._fail(route, call, error)

    def _enqueue(self, work: list[Work]) -> None:
        pool = self._pool
        if pool is None:  # the model is loading, so the routes respond with that error
            self.process(work)
            return
        room = max(0, self._max_in_flight - pool.waiting)
        for route, call in work[room:]:
            self._fail(route, call, TooManyRequestsError(self._max_in_flight))
        pool.put(work[:room])

    def _no_route(self, call: Call) -> RequestError:
        if call.is_grpc:
            return UnknownMethodError(call.path)
        return self._not_found(call.path)

    def _incomplete(self, problem: str) -> RequestError:
        if problem == "too large":
            return BodyTooLargeError(self._max_body_bytes)
        return RequestTimeoutError(
            "body: expected the rest of it, but the client sent nothing for too long"
        )

    def _send(self, route: Route, call: Call, response: Response) -> None:
        if call.is_grpc:
            sent = call.respond_grpc(response.body)
        else:
            body, content_type, headers = response
            if len(body) >= WORTHWHILE_BYTES:
                encoding = choose_encoding(call.header("accept-encoding"))
                if encoding is not None:
                    body = compress(encoding, body)
                    headers += (("content-encoding", encoding), ("vary", "accept-encoding"))
            sent = call.respond(200, content_type, body, headers)
        self._count(route, 200 if sent else CLIENT_GONE, call)

    def _fail(self, route: Route, call: Call, error: Exception) -> None:
        if not isinstance(error, RequestError):
            log.error(
                "a request failed",
                traceback=error,
                path=call.path,
                request_id=call.header("x-request-id"),
                trace=call.header("traceparent"),
            )
            error = UnforeseenError()
        if route.on_error is not None:
            self._send(route, call, route.on_error(error))
            return
        if call.is_grpc:
            sent = call.fail_grpc(code_of(error), str(error)[:LONGEST_MESSAGE])
        else:
            sent = call.respond(error.status, JSON, error.body(), error.headers)
        self._count(route, error.status if sent else CLIENT_GONE, call)

    def _count(self, route: Route, status: int, call: Call) -> None:
        seconds = perf_counter() - call.arrived
        self.metrics.observe(route.labels, status, seconds)
        if self._log_requests:
            log.info(
                "request",
                protocol=route.protocol,
                route=route.name,
                status=status,
                milliseconds=round(seconds * 1e3, 3),
                request_id=call.header("x-request-id"),
                trace=call.header("traceparent"),
            )
