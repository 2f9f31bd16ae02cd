"""How far a download has come, in the log."""

import time

from .. import log

PROGRESS_SECONDS = 2.0


class Progress:
    """A log line now and then, where a download takes long."""

    def __init__(self, where: str, size: int | None) -> None:
        self._where, self._size = where, size
        self._begun = self._said = time.monotonic()
        self._first: int | None = None

    def tell(self, done: int) -> None:
        """``done``: bytes that have arrived, those of attempts before among them."""
        if self._first is None:
            self._first = done
        now = time.monotonic()
        if now - self._said < PROGRESS_SECONDS:
            return
        self._said = now
        log.info(
            "downloading",
            object=self._where,
            mebibytes=done >> 20,
            of_mebibytes=None if self._size is None else self._size >> 20,
            mebibytes_per_second=round((done - self._first) / 2**20 / (now - self._begun), 1),
        )
