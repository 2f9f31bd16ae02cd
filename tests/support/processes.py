"""Work that the processes of one test run share: make it once, or wait for a turn."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

FOLDER = pytest.StashKey[Path]()
"""The folder that all processes of a run share, in ``config.stash``."""


def making(folder: Path, name: str) -> FileLock:
    """Return the lock that ``once`` holds while it makes something."""
    return FileLock(folder / f"{name}.lock", fallback_to_soft=False)


def once(folder: Path, name: str, make: Callable[[], str]) -> str:
    """Return the result of ``make``, called in one process of the run.

    The others wait until it is made. If it fails, the next one tries again.
    """
    result = folder / name
    if not result.exists():
        with making(folder, name):
            if not result.exists():
                draft = result.with_suffix(".draft")
                draft.write_text(make())
                draft.rename(result)
    return result.read_text()


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold the shared cluster together with others, or alone.

    The gate keeps the order: while one waits to be alone, nobody else starts.
    """
    with (folder / "hall").open("a") as hall:
        with (folder / "gate").open("a") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(hall, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
