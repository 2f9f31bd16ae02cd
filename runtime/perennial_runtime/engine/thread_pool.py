"""Threads for what takes too long to be done where requests are read."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


MOST_BYTES = 1024 * 1024
"""Of items that are taken together: what is large is not worth waiting for its like."""


class ThreadPool(Generic[Item]):
    """A queue, and threads that take from it as much as may be done together."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], None],
        threads: int,
        most: int,
        size: Callable[[Item], int],
        delay_seconds: float,
        expected: Callable[[], int],
    ) -> None:
        """Starts the threads.

        Args:
            work: does some items, and never raises.
            threads: how many there are.
            most: how many items one may take at once.
            size: an item's bytes; of larger ones fewer are taken.
            delay_seconds: how long it waits for more of them, while more are expected.
            expected: how many items are being worked on, waiting, or on their way.
        """
        self._work = work
        self._most = most
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
        """Items that nobody has taken yet."""
        return len(self._items)

    def put(self, items: Sequence[Item]) -> None:
        """Has some items done."""
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
            if self._delay and self._most > 1:
                self._gather()
            taken = self._pop()
            self._busy += len(taken)
        return taken or self._take()

    def _pop(self) -> list[Item]:
        taken: list[Item] = []
        room = MOST_BYTES
        while self._items and len(taken) < self._most:
            room -= self._size(self._items[0])
            if taken and room < 0:
                break
            taken.append(self._items.popleft())
        return taken

    def _gather(self) -> None:
        """Waits for more items, unless all that are expected are here already."""
        deadline = monotonic() + self._delay
        while 0 < len(self._items) < self._most:
            if self._expected() <= len(self._items) + self._busy:
                return
            left = deadline - monotonic()
            if left <= 0 or not self._changed.wait(left):
                return
