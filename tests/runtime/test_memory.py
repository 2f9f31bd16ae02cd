"""Memory of a burst is returned to the system."""

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
    """Return the resident memory of the server, in MB."""
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; the allocator is glibc's")
def test_memory_is_returned_after_a_burst(start, affine, tmp_path):
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx")
    tensor = {"name": "X", "datatype": "FP32", "shape": [ROWS, 2], "data": [0.5] * ROWS * 2}
    body = json.dumps({"inputs": [tensor]})

    def send():
        connection = server.connect()
        connection.request("POST", "/v2/models/double/infer", body)
        assert len(connection.getresponse().read()) > ROWS
        connection.close()

    send()
    before = resident(server)
    for _ in range(3):
        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    deadline = time.monotonic() + 60
    while resident(server) > before + 25:
        assert time.monotonic() < deadline


def test_memory_that_is_freed_after_a_try_is_returned_by_the_next_one():
    policy = TrimPolicy(REST)
    assert not policy.wants(BURST, in_flight=1)
    assert policy.wants(BURST, in_flight=0)
    policy.trimmed(BURST)  # the last responses were still being sent
    assert policy.wants(BURST, in_flight=0)
    policy.trimmed(REST)
    assert not policy.wants(REST, in_flight=0)


def test_memory_that_stays_after_some_tries_at_rest_counts_as_needed():
    policy = TrimPolicy(REST)
    for _ in range(TRIES):
        assert policy.wants(BURST, in_flight=0)
        policy.trimmed(BURST)
    assert not policy.wants(BURST, in_flight=0)
    assert policy.wants(BURST + WORTHWHILE_BYTES + 1, in_flight=0)


def test_a_request_restarts_the_count_of_tries():
    policy = TrimPolicy(REST)
    for _ in range(3 * TRIES):
        assert policy.wants(BURST, in_flight=0)
        policy.trimmed(BURST)
        assert not policy.wants(BURST, in_flight=2)
    assert policy.wants(BURST, in_flight=0)
