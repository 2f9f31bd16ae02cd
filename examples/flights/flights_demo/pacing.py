"""A month in a minute: requests are spread evenly over the time that they are given."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def due_times(count: int, seconds: float) -> list[float]:
    """When each of ``count`` requests is due, in seconds from the beginning.

    >>> due_times(4, 2.0)
    [0.0, 0.5, 1.0, 1.5]
    """
    return [place * seconds / count for place in range(count)]


def paced(
    items: Sequence[T],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[int, T]]:
    """The items with their numbers, each not before it is due; late ones follow at once."""
    begun = clock()
    for number, (item, due) in enumerate(zip(items, due_times(len(items), seconds), strict=True)):
        left = begun + due - clock()
        if left > 0:
            sleep(left)
        yield number, item
