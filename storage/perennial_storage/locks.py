"""Locks between the processes of a machine: files that the kernel lets one of them hold."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .. import log


@contextmanager
def locked(path: Path, *, what: str = "", wait: bool = True) -> Iterator[bool]:
    """Holds the lock of a path; gives whether it does, which ``wait`` makes certain.

    It ends with the process, however that ends; its file ends with the lock.

    Args:
        path: of the lock's file.
        what: what another process is doing meanwhile, for the log.
        wait: whether to wait for another process that holds it.

    Raises:
        OSError: where the file cannot be made or the file system has no locks.
    """
    descriptor = _acquire(path, what, wait)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
        os.close(descriptor)


def _acquire(path: Path, what: str, wait: bool) -> int | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    os.close(descriptor)
                    return None
                log.info("waiting for another process", what=what)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # of a file that its last holder removed: others hold a new one


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    own = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)
