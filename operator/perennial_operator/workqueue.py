"""A queue of keys with the semantics of client-go's workqueue.

A key that is added while it waits is kept once. A key that is added while a worker has it runs
again after that, never beside it. A key can come back after a delay; the earliest delay counts.
Failures back off by key.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

FIRST_BACKOFF = 0.1
LAST_BACKOFF = 300.0


class WorkQueue(Generic[KeyT]):
    """Hands each key to one worker at a time. Belongs to one event loop."""

    def __init__(self) -> None:
        self._ready: deque[KeyT] = deque()
        self._waiting: set[KeyT] = set()
        self._processing: set[KeyT] = set()
        self._failures: dict[KeyT, int] = {}
        self._timers: dict[KeyT, asyncio.TimerHandle] = {}
        self._something = asyncio.Event()

    def __len__(self) -> int:
        """Keys that wait for a worker."""
        return len(self._waiting)

    def add(self, key: KeyT) -> None:
        """Wants the key looked at as soon as a worker is free."""
        if key in self._waiting:
            return
        self._waiting.add(key)
        if key not in self._processing:
            self._ready.append(key)
            self._something.set()

    def add_after(self, key: KeyT, seconds: float) -> None:
        """Wants the key looked at after a while; an earlier wish for it stays."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer and timer.when() <= loop.time() + seconds:
            return
        if timer:
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self._ring, key)

    def add_failed(self, key: KeyT) -> float:
        """Wants the key looked at again after a failure; returns the seconds until then."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay: float = min(FIRST_BACKOFF * 2 ** min(failures, 30), LAST_BACKOFF)
        self.add_after(key, delay)
        return delay

    def forget(self, key: KeyT) -> None:
        """The key was processed well: its next failure starts from the shortest backoff."""
        self._failures.pop(key, None)

    async def get(self) -> KeyT:
        """The next key; :meth:`done` must follow."""
        while not self._ready:
            self._something.clear()
            await self._something.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: KeyT) -> None:
        """The worker has finished with the key; if it was added meanwhile it is ready again."""
        self._processing.discard(key)
        if key in self._waiting:
            self._ready.append(key)
            self._something.set()

    def _ring(self, key: KeyT) -> None:
        self._timers.pop(key, None)
        self.add(key)
