"""Return unused memory to the system after a burst.

The C library keeps freed memory until the process ends. Each second a thread compares the resident
memory with the memory at rest. If there is more, and nothing is in flight, it calls glibc's
malloc_trim(3).
"""

import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

ARENA_MAX = -8
"""A parameter of glibc's mallopt(3)."""
ARENAS = 1
"""Number of heaps.

By default glibc gives each thread a heap. malloc_trim(3) keeps the end of all but the first one, up
to tens of megabytes.
"""
INTERVAL_SECONDS = 1.0
WORTHWHILE_BYTES = 8 * 1024 * 1024
TRIES = 5
STATM = Path("/proc/self/statm")


def return_free_memory(in_flight: Callable[[], int]) -> bool:
    """Start a thread that returns unused memory while nothing is in flight.

    It waits for an idle moment because malloc_trim(3) takes some milliseconds.

    Returns:
        True if this C library supports it.
    """
    try:
        library = ctypes.CDLL(None)
        trim = library.malloc_trim
        library.mallopt(ARENA_MAX, ARENAS)
    except (OSError, AttributeError):
        return False
    if not STATM.exists():
        return False
    arguments = (trim, in_flight)
    threading.Thread(target=_watch, args=arguments, name="memory", daemon=True).start()
    return True


class TrimPolicy:
    """Decides when to return memory.

    The memory of an answered request may still be in use for a moment. Memory counts as needed only
    if it is resident after TRIES attempts without a request between them.
    """

    def __init__(self, resident: int) -> None:
        """Start with ``resident`` bytes, the memory at rest."""
        self._baseline = resident
        self._tries = 0

    def wants(self, resident: int, in_flight: int) -> bool:
        """Return whether to trim now, with this many bytes and requests in flight."""
        if in_flight:
            self._tries = 0
            return False
        return resident > self._baseline + WORTHWHILE_BYTES

    def trimmed(self, resident: int) -> None:
        """Record the resident bytes after a trim."""
        self._tries += 1
        if resident <= self._baseline + WORTHWHILE_BYTES:
            self._tries = 0
        elif self._tries == TRIES:
            self._baseline, self._tries = resident, 0


def _watch(trim: Callable[[int], int], in_flight: Callable[[], int]) -> None:
    policy = TrimPolicy(_resident())
    while True:
        time.sleep(INTERVAL_SECONDS)
        if policy.wants(_resident(), in_flight()):
            trim(0)
            policy.trimmed(_resident())


def _resident() -> int:
    """Return the resident memory of this process, in bytes."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
