"""Retry with growing delays while a store is unreachable."""

import time
from collections.abc import Callable
from typing import TypeVar

from . import log
from .errors import StorageError

T = TypeVar("T")

FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 0.5, 10.0


class Retry:
    """Repeats an operation while the store is unreachable, for a limited time.

    Received bytes extend the time: a long download over a bad connection fails only once nothing
    arrives any more. The last attempt starts when the time is over.
    """

    _deadline: float
    _delay: float

    def __init__(self, seconds: float) -> None:
        """Allow retries for ``seconds`` after the start, or after the last progress."""
        self._seconds = seconds

    def call(self, operation: Callable[[], T], received: Callable[[], int] = lambda: 0) -> T:
        """Return the operation's result.

        Args:
            operation: what to try.
            received: returns the bytes that later attempts need not request again.

        Raises:
            StorageError: the operation's own, if another attempt cannot help or did not.
        """
        self._restart()
        attempts = 0
        while True:
            attempts += 1
            before = received()
            try:
                return operation()
            except StorageError as error:
                if not error.is_retryable:
                    raise
                if received() > before:
                    self._restart()
                left = self._deadline - time.monotonic()
                if left <= 0:
                    if attempts == 1:
                        raise
                    detail = f"{error.detail} (tried {attempts} times)"
                    raise StorageError(
                        error.reason, error.uri, detail, error.hint, error.field
                    ) from error
                delay = min(self._delay, left)
                log.warning(
                    "store unreachable; retrying",
                    problem=error.message,
                    retry_seconds=round(delay, 1),
                )
                time.sleep(delay)
                self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)

    def _restart(self) -> None:
        self._deadline = time.monotonic() + self._seconds
        self._delay = FIRST_DELAY_SECONDS
