"""Answers requests, whatever front they come through: finds the route, asks the model, counts."""

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from . import log
from .answer import JSON, Answer
from .encoding import WORTHWHILE_BYTES, compress, wanted_encoding
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
from .routing import NOWHERE, Route, Routes

if TYPE_CHECKING:  # they bring ONNX Runtime, which is imported while already live
    from .engine.engine import Engine, Inference
    from .engine.thread_pool import ThreadPool

INLINE_SECONDS = 0.002
INLINE_BYTES = 64 * 1024
"""Longer runs and larger bodies are worked on in threads, so that probes are answered meanwhile;
for the others the hand-over would cost more than the work."""

CLIENT_GONE = ClientGoneError.status

LONGEST_MESSAGE = 1024
"""Characters of a message that goes into a gRPC trailer."""

Work = tuple[Route, Call]


class App:
    """Answers lists of calls, before the model is loaded, while it serves, and while it drains."""

    def __init__(
        self,
        routes: Routes,
        unknown: Callable[[str], RequestError],
        metrics: Metrics,
        max_body_bytes: int,
        max_in_flight: int,
        log_requests: bool,
    ) -> None:
        """``unknown`` says what is wrong with a path that is not among the routes."""
        self.metrics = metrics
        self._routes = routes
        self._unknown = unknown
        self._max_body_bytes = max_body_bytes
        self._max_in_flight = max_in_flight
        self._log_requests = log_requests
        self._engine: Engine | None = None
        self._workers: ThreadPool[Work] | None = None
        self._seconds: Callable[[], float] = lambda: 0.0

    def serve(
        self, engine: "Engine", workers: "ThreadPool[Work]", seconds: Callable[[], float]
    ) -> None:
        """From now on the model can be asked; ``seconds`` is how long a run of it takes of late."""
        self._engine, self._workers, self._seconds = engine, workers, seconds

    def __call__(self, calls: Sequence[Call]) -> None:
        """Answers calls, or sees to it that they are answered."""
        quick: list[Work] = []
        slow: list[Work] = []
        is_quick = self._seconds() <= INLINE_SECONDS
        for call in calls:
            route = self._routes.get(call.path)
            try:
                if route is None or (route.protocol == "grpc") != call.is_grpc:
                    route = NOWHERE
                    raise self._lost(call)
                if call.method != route.method:
                    raise MethodNotAllowedError(call.method, route.method)
                if call.problem is not None:
                    raise self._unread(call.problem)
            except RequestError as error:
                self._fail(route or NOWHERE, call, error)
                continue
            if call.size <= INLINE_BYTES and (is_quick or route.endpoint is None):
                quick.append((route, call))
            else:
                slow.append((route, call))
        if slow:
            self._hand_over(slow)
        if quick:
            self.process(quick)

    def process(self, work: Sequence[Work]) -> None:
        """Answers calls here and now. Never raises."""
        jobs: list[Inference] = []
        for route, call in work:
            if call.cancelled:
                self._count(route, CLIENT_GONE, call)
                continue
            try:
                if route.endpoint is None:
                    if route.apart is None:
                        self._answer(route, call)
                    else:
                        route.apart(partial(self._answer, route, call))
                else:
                    assert self._engine is not None
                    jobs.append(self._engine.decode(route, call))
            except Exception as error:
                self._fail(route, call, error)
        if not jobs:
            return
        assert self._engine is not None
        self._engine.run(jobs)
        for job in jobs:
            try:
                if job.error is not None:
                    raise job.error
                answer = job.endpoint.encode(job.request, job.results, job.ids)
                self._send(job.route, job.call, answer)
            except Exception as error:
                self._fail(job.route, job.call, error)

    def _answer(self, route: Route, call: Call) -> None:
        """Answers a call without the model. Never raises."""
        assert route.answer is not None
        try:
            answer = route.answer(call)
            if answer is None:
                self._count(route, 200, call)
            else:
                self._send(route, call, answer)
        except Exception as error:
            self._fail(route, call, error)

    def _hand_over(self, work: list[Work]) -> None:
        workers = self._workers
        if workers is None:  # the model is being loaded, and they will be told so
            self.process(work)
            return
        room = max(0, self._max_in_flight - workers.waiting)
        for route, call in work[room:]:
            self._fail(route, call, TooManyRequestsError(self._max_in_flight))
        workers.put(work[:room])

    def _lost(self, call: Call) -> RequestError:
        if call.is_grpc:
            return UnknownMethodError(call.path)
        return self._unknown(call.path)

    def _unread(self, problem: str) -> RequestError:
        if problem == "too large":
            return BodyTooLargeError(self._max_body_bytes)
        return RequestTimeoutError("body: expected the rest of it, got nothing for too long")

    def _send(self, route: Route, call: Call, answer: Answer) -> None:
        if call.is_grpc:
            sent = call.respond_grpc(answer.body)
        else:
            body, kind, headers = answer
            if len(body) >= WORTHWHILE_BYTES:
                encoding = wanted_encoding(call.header("accept-encoding"))
                if encoding is not None:
                    body = compress(encoding, body)
                    headers += (("content-encoding", encoding), ("vary", "accept-encoding"))
            sent = call.respond(200, kind, body, headers)
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
