"""Send requests over several connections, and count their results."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType

from .client import Connection
from .protocol import Prediction, decode
from .reach import Endpoint


@dataclass
class Served:
    """Responses of one version of the model."""

    count: int
    first: float
    """Time of the first one, by ``time.monotonic``."""
    last: float


@dataclass
class Report:
    """Results of the requests. Each counts once, even if it was sent twice."""

    sent: int = 0
    retried: int = 0
    """Requests that were sent twice, because an idle connection ended."""
    failures: list[str] = field(default_factory=list)
    """One line for each request without a prediction."""
    served: dict[str, Served] = field(default_factory=dict)
    """Responses by version."""
    seconds: list[float] = field(default_factory=list)
    """Seconds of each answered request."""

    def milliseconds(self, share: float) -> float:
        """Return a quantile of the response times, such as 0.99."""
        ordered = sorted(self.seconds) or [0.0]
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000


class Traffic:
    """Sender of requests, until there are no more or ``stop`` is called.

    Use it as a context manager; its report is complete at the end of the block.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        path: str,
        bodies: Iterable[tuple[int, bytes]],
        *,
        connections: int,
        on_answer: Callable[[int, Prediction], None] = lambda number, prediction: None,
    ) -> None:
        """Create a sender; it starts with the block.

        Args:
            endpoint: the Service.
            path: path of the requests.
            bodies: bodies with their numbers; the connections share them.
            connections: number of keep-alive connections, each with one request at a time.
            on_answer: called with each prediction and its number, one at a time.
        """
        self.report = Report()
        self._endpoint = endpoint
        self._path = path
        self._bodies = iter(bodies)
        self._on_answer = on_answer
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="connection")
        self._connections = connections
        self._workers: list[Future[None]] = []

    def __enter__(self) -> "Traffic":
        self._workers = [self._pool.submit(self._work) for _ in range(self._connections)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.stop()
        self._pool.shutdown()
        if kind is None:
            for worker in self._workers:
                worker.result()

    def stop(self) -> None:
        """Stop sending; requests in flight are still answered."""
        self._stopped.set()

    def _work(self) -> None:
        connection = Connection(self._endpoint)
        try:
            while not self._stopped.is_set():
                # Not the lock of the responses: the next request may not be due yet.
                with self._taking:
                    number, body = next(self._bodies, (-1, b""))
                if number < 0:
                    return
                self._send(connection, number, body)
        finally:
            connection.close()

    def _send(self, connection: Connection, number: int, body: bytes) -> None:
        begun = time.monotonic()
        failure, retried, prediction = "", False, None
        try:
            response = connection.post(self._path, body)
            retried = response.retried
            if response.status == 200:
                prediction = decode(response.body)
            else:
                text = response.body.decode(errors="replace")
                failure = f"answered {response.status}: {text[:200].strip()}"
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            failure = f"{type(error).__name__}: {error}"
        now = time.monotonic()
        with self._lock:
            self._count(failure, retried, prediction, now, now - begun)
            if prediction:
                self._on_answer(number, prediction)

    def _count(
        self,
        failure: str,
        retried: bool,
        prediction: Prediction | None,
        now: float,
        seconds: float,
    ) -> None:
        report = self.report
        report.sent += 1
        report.retried += retried
        if prediction is None:
            report.failures.append(failure)
            return
        report.seconds.append(seconds)
        served = report.served.setdefault(prediction.version, Served(0, now, now))
        served.count += 1
        served.last = now
