"""Locks that vanish with their holders."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from perennial_storage.locks import locked

HOLD = """
import sys, pathlib
from perennial_storage.locks import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_at_a_time_holds_a_lock_also_while_its_file_comes_and_goes(tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count(times: int) -> None:
        for _ in range(times):
            with locked(tmp_path / "lock"):
                counter.write_text(str(int(counter.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, [100] * 8))
    assert counter.read_text() == "800"
    assert list(tmp_path.iterdir()) == [counter]


def test_a_lock_ends_with_its_holder_however_that_ends(tmp_path):
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
