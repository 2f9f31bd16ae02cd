"""Log lines. Standard output and standard error are the pod's log."""

import logging
import sys
import time

_STARTED = time.monotonic()


def log(line: str) -> None:
    """Print a line, preceded by the seconds since the program started."""
    print(f"{time.monotonic() - _STARTED:7.1f}  {line}", flush=True)


def log_error(line: str) -> None:
    """Print a line on standard error."""
    print(f"perennial-trainer: {line}", file=sys.stderr, flush=True)


class _Printer(logging.Handler):
    """Prints log records and their fields as lines."""

    def emit(self, record: logging.LogRecord) -> None:
        pairs = getattr(record, "fields", {}).items()
        fields = ", ".join(f"{key}={value}" for key, value in pairs)
        log(f"{record.getMessage()} ({fields})" if fields else record.getMessage())


def print_records() -> None:
    """Print the log records of the storage package, such as retries."""
    records = logging.getLogger("perennial")
    records.handlers[:] = [_Printer()]
    records.setLevel(logging.INFO)
