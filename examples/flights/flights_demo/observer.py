"""Observe the model's resources in the background."""

import threading
from collections.abc import Callable
from types import TracebackType

from . import deployment
from .errors import DemoError
from .kubectl import Kubectl
from .news import Event, Sight, news

POLL_SECONDS = 1.0


class Observer:
    """Thread that reports events. A context manager."""

    def __init__(self, kubectl: Kubectl, on_change: Callable[[Sight, list[Event]], None]) -> None:
        self.sight = Sight()
        self._kubectl = kubectl
        self._on_change = on_change
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="observer")

    def __enter__(self) -> "Observer":
        self.sight = self._look()
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

    def _work(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            try:
                seen = self._look()
            except DemoError:  # temporary; the next poll succeeds
                continue
            events, self.sight = news(self.sight, seen), seen
            self._on_change(seen, events)

    def _look(self) -> Sight:
        namespace = ("-n", deployment.NAMESPACE)
        resource = self._kubectl.get("mdep", deployment.NAME, *namespace)
        return Sight.of(resource, self._kubectl.get("rjob", *namespace)["items"])
