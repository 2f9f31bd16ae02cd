"""What a burst took is given back."""

import json
import sys
import threading
import time
from pathlib import Path

import pytest

ROWS = 200_000


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
