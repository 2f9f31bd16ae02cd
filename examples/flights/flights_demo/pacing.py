"""Spread requests evenly over a given time: a month in a minute."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def due_times(count: int, seconds: float) -> list[float]:
    """Return the times of ``count`` requests, in seconds from the start.

    >>> due_times(4, 2.0)
    [0.0, 0.5, 1.0, 1.5]
    """
    return [index * seconds / count for index in range(count)]


def paced(
    items: Sequence[T],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[int, T]]:
    """Yield the numbered items, each when it is due; late ones follow at once."""
    begun = clock()
    for number, (item, due) in enumerate(zip(items, due_times(len(items), seconds), strict=True)):
        left = begun + due - clock()
        if left > 0:
            sleep(left)
        yield number, item
