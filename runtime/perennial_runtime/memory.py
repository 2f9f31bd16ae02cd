"""Has the C library give memory back, so that one burst is not paid for until the process ends."""

import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

ARENA_MAX = -8
"""A parameter of glibc's mallopt(3)."""
ARENAS = 2
"""Heaps of glibc's own: by itself it gives each thread one, of which it gives nothing back."""
LOOK_SECONDS = 1.0
WORTHWHILE_BYTES = 8 * 1024 * 1024
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


def _look(trim: Callable[[int], int], in_flight: Callable[[], int]) -> None:
    least = _resident()
    while True:
        time.sleep(LOOK_SECONDS)
        if _resident() > least + WORTHWHILE_BYTES and in_flight() == 0:
            trim(0)
            least = _resident()


def _resident() -> int:
    """Bytes of memory that this process holds."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
