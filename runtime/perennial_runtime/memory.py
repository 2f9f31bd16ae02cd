"""Has the C library give memory back, so that one burst is not paid for until the process ends."""

import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

ARENA_MAX = -8
"""A parameter of glibc's mallopt(3)."""
ARENAS = 1
"""Heaps: by itself glibc gives each thread one, and of all but the first malloc_trim(3) leaves what
lies at the end, up to some tens of megabytes."""
LOOK_SECONDS = 1.0
WORTHWHILE_BYTES = 8 * 1024 * 1024
TRIES = 5
STATM = Path("/proc/self/statm")


def keep_small(in_flight: Callable[[], int]) -> bool:
    """Looks now and then whether memory was taken that is no longer used, and gives it back.

    Only where nothing is in flight: it takes some milliseconds. Returns whether this C library can.
    """
    try:
        library = ctypes.CDLL(None)
        trim = library.malloc_trim
        library.mallopt(ARENA_MAX, ARENAS)
    except (OSError, AttributeError):
        return False
    if not STATM.exists():
        return False
    looker = threading.Thread(target=_look, args=(trim, in_flight), name="memory", daemon=True)
    looker.start()
    return True


class Watch:
    """Decides when giving back is worth while.

    A request may count as answered while its memory is still being freed, so what is left is not
    taken for needed before TRIES attempts, with nothing in flight between, have left it.
    """

    def __init__(self, resident: int) -> None:
        """``resident``: the bytes that are held at rest."""
        self._least = resident
        self._tries = 0

    def wants(self, resident: int, in_flight: int) -> bool:
        """Whether to give back now, with so many bytes held and requests in flight."""
        if in_flight:
            self._tries = 0
            return False
        return resident > self._least + WORTHWHILE_BYTES

    def gave(self, resident: int) -> None:
        """Tells how many bytes are still held after giving back."""
        self._tries += 1
        if resident <= self._least + WORTHWHILE_BYTES:
            self._tries = 0
        elif self._tries == TRIES:
            self._least, self._tries = resident, 0


def _look(trim: Callable[[int], int], in_flight: Callable[[], int]) -> None:
    watch = Watch(_resident())
    while True:
        time.sleep(LOOK_SECONDS)
        if watch.wants(_resident(), in_flight()):
            trim(0)
            watch.gave(_resident())


def _resident() -> int:
    """Bytes of memory that this process holds."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
