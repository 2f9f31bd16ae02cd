"""What a burst took is given back."""

import json
import sys
import threading
import time
from pathlib import Path

import pytest

from perennial_runtime.memory import TRIES, WORTHWHILE_BYTES, TrimPolicy

ROWS = 200_000
REST, BURST = 100 * 1024 * 1024, 300 * 1024 * 1024


def resident(server) -> float:
    """Megabytes that the server holds."""
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; the allocator is glibc's")
def test_memory_is_given_back_after_a_burst(start, affine, tmp_path):
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx")
    tensor = {"name": "X", "datatype": "FP32", "shape": [ROWS, 2], "data": [0.5] * ROWS * 2}
    body = json.dumps({"inputs": [tensor]})

    def ask():
        connection = server.connect()
        connection.request("POST", "/v2/models/double/infer", body)
        assert len(connection.getresponse().read()) > ROWS
        connection.close()

    ask()
    before = resident(server)
    for _ in range(3):
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    deadline = time.monotonic() + 60
    while resident(server) > before + 25:
        assert time.monotonic() < deadline


def test_what_is_freed_after_it_was_tried_is_given_back_by_the_next_try():
    watch = TrimPolicy(REST)
    assert not watch.wants(BURST, in_flight=1)
    assert watch.wants(BURST, in_flight=0)
    watch.trimmed(BURST)  # the last answers were still on their way
    assert watch.wants(BURST, in_flight=0)
    watch.trimmed(REST)
    assert not watch.wants(REST, in_flight=0)


def test_what_stays_is_taken_for_needed_after_some_tries_at_rest():
    watch = TrimPolicy(REST)
    for _ in range(TRIES):
        assert watch.wants(BURST, in_flight=0)
        watch.trimmed(BURST)
    assert not watch.wants(BURST, in_flight=0)
    assert watch.wants(BURST + WORTHWHILE_BYTES + 1, in_flight=0)


def test_requests_between_begin_the_tries_anew():
    watch = TrimPolicy(REST)
    for _ in range(3 * TRIES):
        assert watch.wants(BURST, in_flight=0)
        watch.trimmed(BURST)
        assert not watch.wants(BURST, in_flight=2)
    assert watch.wants(BURST, in_flight=0)
