"""Has the C library give memory back, so that one burst is not paid for until the process ends."""

import ctypes

_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD = -8, -1, -3
"""Parameters of glibc's mallopt(3)."""
LARGE_BYTES = 1024 * 1024


def give_back() -> bool:
    """Sets the allocator up; whether it is one that can be, glibc's.

    By itself glibc learns from large allocations to keep ever larger ones for itself, and gives
    each thread a heap of its own, of which it gives nothing back.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(
        mallopt(parameter, value) == 1
        for parameter, value in (
            (_ARENA_MAX, 2),
            (_MMAP_THRESHOLD, LARGE_BYTES),
            (_TRIM_THRESHOLD, LARGE_BYTES),
        )
    )
