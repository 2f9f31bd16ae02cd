"""Threads for work that would block the frontend's thread."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


MAX_BYTES = 1024 * 1024
"""Maximum size of items that are taken together. Waiting for more large items does not pay."""


class ThreadPool(Generic[Item]):
    """A queue, and threads that process items from it, several together."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], None],
        threads: int,
        max_items: int,
        size: Callable[[Item], int],
        delay_seconds: float,
        expected: Callable[[], int],
    ) -> None:
        """Start the threads.

        Args:
            work: processes some items, and never raises.
            threads: number of threads.
            max_items: maximum number of items for one call of ``work``.
            size: returns the bytes of an item; fewer large items are taken together.
            delay_seconds: maximum time to wait for more items, while more are expected.
            expected: returns the number of items that are being processed, wait, or arrive.
        """
        self._work = work
        self._max_items = max_items
        self._size = size
        self._delay = delay_seconds
        self._expected = expected
        self._items: deque[Item] = deque()
        self._busy = 0
        self._changed = Condition()
        for number in range(threads):
            Thread(target=self._run, name=f"run-{number}", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Number of items that no thread has taken."""
        return len(self._items)

    def put(self, items: Sequence[Item]) -> None:
        """Add items to the queue."""
        with self._changed:
            self._items.extend(items)
            self._changed.notify(len(items))

    def _run(self) -> None:
        while True:
            taken = self._take()
            try:
                self._work(taken)
            finally:
                with self._changed:
                    self._busy -= len(taken)

    def _take(self) -> list[Item]:
        with self._changed:
            while not self._items:
                self._changed.wait()
            if self._delay and self._max_items > 1:
                self._wait_for_more()
            taken = self._pop()
            self._busy += len(taken)
        return taken or self._take()

    def _pop(self) -> list[Item]:
        taken: list[Item] = []
        room = MAX_BYTES
        while self._items and len(taken) < self._max_items:
            room -= self._size(self._items[0])
            if taken and room < 0:
                break
            taken.append(self._items.popleft())
        return taken

    def _wait_for_more(self) -> None:
        """Wait for more items, unless all expected ones are in the queue."""
        deadline = monotonic() + self._delay
        while 0 < len(self._items) < self._max_items:
            if self._expected() <= len(self._items) + self._busy:
                return
            remaining = deadline - monotonic()
            if remaining <= 0 or not self._changed.wait(remaining):
                return
