"""What a step says while it works: lines on standard output, which are the pod's log."""

import sys
import time

_BEGUN = time.monotonic()


def tell(line: str) -> None:
    """Prints a line after the seconds since the program began."""
    print(f"{time.monotonic() - _BEGUN:7.1f}  {line}", flush=True)


def complain(line: str) -> None:
    """Prints a line on standard error."""
    print(f"perennial-trainer: {line}", file=sys.stderr, flush=True)
