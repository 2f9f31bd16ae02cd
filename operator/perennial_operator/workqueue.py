"""A queue of keys with the semantics of client-go's workqueue.

A key that is added while it waits is stored once. A key that is added while a worker processes it
is processed again afterwards, never at the same time. A key can be added after a delay, and the
earliest delay counts. Each key has its own back-off after failures.

The queue is part of the operator since kopf's own queues handle one object each, and a key stands
for all children of a resource.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

FIRST_BACKOFF = 0.1
LAST_BACKOFF = 300.0


class WorkQueue(Generic[KeyT]):
    """Gives each key to one worker at a time. An instance belongs to one event loop."""

    def __init__(self) -> None:
        self._ready: deque[KeyT] = deque()
        self._waiting: set[KeyT] = set()
        self._processing: set[KeyT] = set()
        self._failures: dict[KeyT, int] = {}
        self._timers: dict[KeyT, asyncio.TimerHandle] = {}
        self._available = asyncio.Event()

    def __len__(self) -> int:
        """Return the number of keys that wait for a worker."""
        return len(self._waiting)

    def add(self, key: KeyT) -> None:
        """Add a key for the next free worker."""
        if key in self._waiting:
            return
        self._waiting.add(key)
        if key not in self._processing:
            self._ready.append(key)
            self._available.set()

    def add_after(self, key: KeyT, seconds: float) -> None:
        """Add a key after a delay, unless it is added earlier anyway."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer and timer.when() <= loop.time() + seconds:
            return
        if timer:
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self._on_timer, key)

    def add_failed(self, key: KeyT) -> float:
        """Add a key again after a failure, and return the delay in seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay: float = min(FIRST_BACKOFF * 2 ** min(failures, 30), LAST_BACKOFF)
        self.add_after(key, delay)
        return delay

    def forget(self, key: KeyT) -> None:
        """Reset the back-off of a key after a success."""
        self._failures.pop(key, None)

    async def get(self) -> KeyT:
        """Return the next key. The worker must call :meth:`done` afterwards."""
        while not self._ready:
            self._available.clear()
            await self._available.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: KeyT) -> None:
        """Release a key. If it was added in the meantime, it is ready again."""
        self._processing.discard(key)
        if key in self._waiting:
            self._ready.append(key)
            self._available.set()

    def _on_timer(self, key: KeyT) -> None:
        self._timers.pop(key, None)
        self.add(key)
