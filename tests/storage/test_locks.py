"""Locks that end with their holders, whichever release these run."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from perennial_storage.locks import locked

HOLD = """
import sys, pathlib
from perennial_storage.locks import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def locked_by_older_release(path: Path) -> Iterator[None]:
    """Hold the lock as releases before filelock do. They share caches with this one."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # The former holder may remove the file at any moment.
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                break
        os.close(descriptor)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


@pytest.mark.parametrize("other", [locked, locked_by_older_release])
def test_one_holder_at_a_time_although_the_lock_file_is_removed(tmp_path, other):
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count(hold) -> None:
        for _ in range(100):
            with hold(tmp_path / "lock"):
                counter.write_text(str(int(counter.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, [locked, other] * 4))
    assert counter.read_text() == "800"
    assert list(tmp_path.iterdir()) == [counter]


def test_a_killed_process_releases_its_lock(tmp_path):
    path = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with locked(path, wait=False) as held:
            assert not held
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    with locked(path, wait=False) as held:
        assert held
    assert not path.exists()
