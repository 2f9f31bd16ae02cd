"""Locks between the processes of a machine. A killed process releases its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import log


@contextmanager
def locked(path: Path, *, task: str = "", wait: bool = True) -> Iterator[bool]:
    """Hold a lock file; yield False if another process holds it and ``wait`` is false.

    Args:
        path: the lock file. It is removed with the lock.
        task: what the other process is doing meanwhile, for the log.
        wait: whether to wait for another process that holds it.

    Raises:
        OSError: if the file cannot be created or the file system has no locks.
    """
    from filelock import FileLock, Timeout  # late: a model on disk needs no lock

    # Never the library's soft lock: its file would outlive a killed process.
    lock = FileLock(path, mode=0o600, fallback_to_soft=False)
    is_held = True
    try:
        lock.acquire(blocking=False)
    except Timeout:
        is_held = False
    if not is_held:
        if not wait:
            yield False
            return
        log.info("waiting for another process", task=task)
        lock.acquire()
    try:
        yield True
    finally:
        # Before the release: whoever waits for this file finds it unlinked and opens a new one.
        try:
            path.unlink(missing_ok=True)
        finally:
            lock.release()
