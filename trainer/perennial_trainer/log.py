"""Log lines. Standard output and standard error are the pod's log."""

import sys
import time

_STARTED = time.monotonic()


def log(line: str) -> None:
    """Print a line, preceded by the seconds since the program started."""
    print(f"{time.monotonic() - _STARTED:7.1f}  {line}", flush=True)


def log_error(line: str) -> None:
    """Print a line on standard error."""
    print(f"perennial-trainer: {line}", file=sys.stderr, flush=True)
