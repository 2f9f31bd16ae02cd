"""How long a store that does not answer is tried again."""

import time
from collections.abc import Callable
from typing import TypeVar

from perennial_contracts.wire.outcome import LoadFailure

from .. import log
from ..errors import LoadError

T = TypeVar("T")

FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 0.5, 10.0


class Patience:
    """Repeats what finds the store unreachable, ever more slowly, for some time.

    Whatever arrives renews it: a long download over a bad line ends only where nothing comes.
    """

    _deadline: float
    _delay: float

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def persist(self, operation: Callable[[], T], received: Callable[[], int] = lambda: 0) -> T:
        """The operation's result.

        Args:
            operation: what is tried.
            received: bytes that it has got and that need not be got again.

        Raises:
            LoadError: the operation's own, where trying again cannot help or did not.
        """
        self._begin()
        attempts = 0
        while True:
            attempts += 1
            before = received()
            try:
                return operation()
            except LoadError as error:
                if error.reason is not LoadFailure.STORE_UNREACHABLE:
                    raise
                if received() > before:
                    self._begin()
                left = self._deadline - time.monotonic()
                if left <= 0:
                    times = "once" if attempts == 1 else f"{attempts} times"
                    raise LoadError(error.reason, f"{error.message} (tried {times})") from error
                pause = min(self._delay, left)
                log.warning("the store is unreachable", problem=error.message, retry_seconds=pause)
                time.sleep(pause)
                self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)

    def _begin(self) -> None:
        self._deadline = time.monotonic() + self._seconds
        self._delay = FIRST_DELAY_SECONDS
