"""What cannot be reached is tried again for a while."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError
from ..log import log

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0


def persist(
    attempt: Callable[[], T], failure: Callable[[Exception], StepError], seconds: float
) -> T:
    """Tries until it works, another attempt cannot help, or the time is over.

    Args:
        attempt: what is tried.
        failure: what its error means.
        seconds: from when on no other attempt begins.

    Raises:
        StepError: what ``failure`` made of the last error.
    """
    deadline = time.monotonic() + seconds
    for pause in _pauses():
        try:
            return attempt()
        except Exception as error:
            found = error if isinstance(error, StepError) else failure(error)
            last = time.monotonic() + pause > deadline
            if found.reason is not LoadFailure.STORE_UNREACHABLE or last:
                raise found from error
            log(f"{found.message}; trying again in {pause:g} s")
        time.sleep(pause)
    raise AssertionError("pauses never end")


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
