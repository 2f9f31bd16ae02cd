"""Send the label of each flight some time after its prediction."""

import heapq
import itertools
import threading
import time
from collections.abc import Sequence
from http.client import HTTPException
from types import TracebackType

from .client import Connection
from .protocol import encode_labels, feedback_path
from .reach import Endpoint

TICK_SECONDS = 0.5


class Outcomes:
    """Sender of labels when they are due, in bulk.

    It is a context manager, whose end sends the rest.
    """

    def __init__(self, endpoint: Endpoint, model: str, delay: float) -> None:
        """Create a sender; ``delay`` is the seconds from prediction to label."""
        self.failures: list[str] = []
        self.sent = 0
        self._connection = Connection(endpoint)
        self._path = feedback_path(model)
        self._delay = delay
        self._due: list[tuple[float, int, Sequence[str], Sequence[int]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="outcomes")

    def __enter__(self) -> "Outcomes":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if kind is None:
            self._send(float("inf"))
        self._connection.close()

    def add(self, ids: Sequence[str], late: Sequence[int]) -> None:
        """Add the labels of new predictions."""
        with self._lock:
            due = time.monotonic() + self._delay
            heapq.heappush(self._due, (due, next(self._order), ids, late))

    def _work(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            self._send(time.monotonic())

    def _send(self, now: float) -> None:
        ids: list[str] = []
        late: list[int] = []
        with self._lock:
            while self._due and self._due[0][0] <= now:
                _, _, some, labels = heapq.heappop(self._due)
                ids += some
                late += labels
        if not ids:
            return
        try:
            response = self._connection.post(self._path, encode_labels(ids, late))
            if response.status != 200:
                self.failures.append(
                    f"feedback answered {response.status}: {response.body[:200]!r}"
                )
            self.sent += len(ids)
        except (OSError, HTTPException) as error:
            self._connection.close()
            self.failures.append(f"feedback: {type(error).__name__}: {error}")
