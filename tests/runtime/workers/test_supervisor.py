"""Several worker processes behind one port act as one server."""

import os
import signal
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPResponse
from itertools import pairwise
from pathlib import Path

import duckdb
import onnx
import pytest
import tritonclient.grpc as triton_grpc
from onnx import helper
from support.runtime import PATIENCE

from perennial_contracts.wire.counters import Counters
from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_runtime.cgroup import available_threads

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
MODEL = "/v2/models/flights"
ROW = {"amount": 2.0, "carrier": "AA", "seats": 150, "weekend": False}
TWO = ("--workers", "2", "--drain-seconds", "0.1")


@pytest.fixture
def serve(start, flights, write_files):
    """Starts servers of two workers that have counted nothing yet."""
    files = write_files(flights())
    return lambda *arguments, wait=True: start(
        files, "--name", "flights", *TWO, *arguments, wait=wait
    )


def predict(server, _=None):
    """Send a row over a new connection. Return the prediction id."""
    status, body, _ = server.request("POST", f"{MODEL}/predict", {"instances": [ROW]})
    assert status == 200, body
    return body["predictions"][0]["prediction_id"]


def processes_of(server):
    """Return the ids of the worker processes."""
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers_that_answered(server):
    return {line["worker"] for line in server.lines if line["message"] == "request"}


def sample(text, name):
    """Return the value of a metric that has one sample."""
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return float(line.rpartition(" ")[2])


def test_every_worker_reports_the_counts_of_all(serve):
    server = serve("--log-requests", "true")
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: predict(server), range(300)))
    assert len(set(ids)) == 300
    labels = {"feedback": [{"prediction_id": text, "label": 1} for text in ids]}
    assert server.request("POST", f"{MODEL}/feedback", labels)[1]["accepted"] == 300

    responses = [server.request("GET", f"{MODEL}/counters")[1] for _ in range(20)]
    assert all(each == responses[0] for each in responses)
    counters = Counters.model_validate(responses[0])
    assert (counters.rows, counters.labels) == (300, 300)
    assert counters.features["amount"] == [0, 0, 300, 0]
    assert counters.label == [0, 300, 0, 0]
    assert counters.matrix == [[0, 0], [0, 300]]

    for _ in range(20):
        text = server.request("GET", "/metrics")[1]
        assert sample(text, "perennial_runtime_rows_total") == 300
        assert sample(text, "perennial_runtime_queue_seconds_count") == 300
        assert sample(text, "perennial_runtime_model_info") == 1
        predicted = 'perennial_runtime_requests_total{code="200",protocol="v2",route="predict"}'
        assert sample(text, predicted) == 300

    for _ in range(20):
        with triton_grpc.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            statistics = client.get_inference_statistics("flights").model_stats[0]
        assert statistics.inference_count == statistics.inference_stats.success.count == 300
    assert workers_that_answered(server) == {1, 2}


def test_two_workers_never_write_the_same_file(serve, tmp_path):
    folder = tmp_path / "captured"
    server = serve("--capture", str(folder), "--log-requests", "true")
    ids = []
    while workers_that_answered(server) != {1, 2}:
        ids.append(predict(server))
    server.terminate()
    assert server.exit_code() == 0
    with duckdb.connect() as connection:
        query = f"select _prediction_id from read_parquet('{folder}/predictions/**/*.parquet')"
        captured = [text for (text,) in connection.execute(query).fetchall()]
    assert sorted(captured) == sorted(ids)
    assert len(list(folder.rglob("*.parquet"))) == 2


def test_if_one_worker_ends_all_end(serve):
    server = serve()
    os.kill(processes_of(server)[1], signal.SIGKILL)
    assert server.exit_code() == 1
    assert server.wait_for("worker 2 was ended by SIGKILL, so the others end too")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


@pytest.mark.parametrize("path", ["/metrics", f"{MODEL}/counters"])
def test_a_worker_reports_the_counts_of_one_that_has_ended(serve, path):
    server = serve()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: predict(server), range(100)))
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as late:
        # The worker with this request cannot end before its body has arrived.
        late.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n".encode())
        while "requests_in_flight 2.0" not in server.request("GET", "/metrics")[1]:
            pass
        server.terminate()
        server.wait_for("stopped")
        while len(processes_of(server)) == 2:
            pass
        late.sendall(b"!")
        response = HTTPResponse(late)
        response.begin()
        text = response.read().decode()
    assert response.status == 200, text
    if path == "/metrics":
        assert sample(text, "perennial_runtime_rows_total") == 100
        assert sample(text, "perennial_runtime_requests_in_flight") == 1
    else:
        assert Counters.model_validate_json(text).rows == 100
    assert server.exit_code() == 0


def test_counts_never_decrease_while_the_workers_end(start, flights, write_files):
    files = write_files(flights())
    server = start(files, "--name", "flights", "--workers", "3", "--drain-seconds", "0.5")
    for _ in range(30):
        predict(server)
    started = threading.Barrier(5)

    def send_until_nobody_listens():
        counts = []
        with suppress(ConnectionRefusedError):
            while True:
                status, text, _ = server.request("GET", "/metrics")
                assert status == 200, text
                counts.append(sample(text, "perennial_runtime_rows_total"))
                predict(server)
                if len(counts) == 1:
                    started.wait(PATIENCE)
        return counts

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(send_until_nobody_listens) for _ in range(4)]
        started.wait(PATIENCE)
        server.terminate()
        for client in clients:
            counts = client.result()
            assert counts == sorted(counts)
            assert counts[-1] > 30
    assert server.exit_code() == 0


def test_workers_end_when_their_supervisor_is_killed(serve):
    server = serve()
    server.process.kill()
    server.exit_code()  # the workers keep its standard error open, and the reader waits for its end
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_a_signal_to_the_process_group_counts_once(serve):
    server = serve("--drain-seconds", "60")
    for pid in processes_of(server):
        os.kill(pid, signal.SIGTERM)
    assert server.request("GET", "/v2/health/ready")[0] == 200
    server.terminate()
    server.wait_for("draining")
    while server.request("GET", "/v2/health/ready")[0] == 200:
        pass  # the other worker has not received the signal
    predict(server)
    server.terminate()
    assert server.exit_code() == 0


def test_the_private_folder_is_removed_at_the_end(serve, tmp_path):
    server = serve("--cache-dir", str(tmp_path / "c"))
    (folder,) = (tmp_path / "c").glob("workers-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    server.terminate()
    assert server.exit_code() == 0
    assert list((tmp_path / "c").glob("workers-*")) == []


def test_the_folder_of_a_killed_server_is_removed_and_one_in_use_is_not(serve, tmp_path):
    cache = tmp_path / "cache"
    killed = serve("--cache-dir", str(cache))
    killed.process.kill()
    killed.process.wait()
    (forsaken,) = cache.glob("workers-*")
    running = serve("--cache-dir", str(cache))
    (used,) = set(cache.glob("workers-*")) - {forsaken}
    for folder in (forsaken, used):
        os.utime(folder, (0, 0))
    last = serve("--cache-dir", str(cache))
    assert not forsaken.exists()
    assert used.exists()
    for server in (running, last):
        server.terminate()
        assert server.exit_code() == 0
    assert not list(cache.glob("workers-*"))


def test_a_port_in_use_is_reported_once(serve):
    # The processes that use the port share it among themselves.
    port = serve().port
    server = serve("--http-port", str(port), wait=False)
    assert server.exit_code() == 1
    (line,) = server.lines
    assert f"cannot listen on 127.0.0.1 port {port}" in line["message"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent", LoadFailure.MODEL_NOT_FOUND), ("bad", LoadFailure.MODEL_CORRUPT)],
)
def test_a_model_that_does_not_load_is_reported_once(start, tmp_path, name, reason):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    log = tmp_path / "termination-log"
    path = tmp_path / f"{name}.onnx"
    server = start(path, *TWO, "--termination-message-path", str(log), wait=False)
    assert server.exit_code() == 1
    assert Outcome.from_text(log.read_text()).reason == reason
    assert [line["reason"] for line in server.lines if "reason" in line] == [reason.value]


def test_an_unreachable_store_has_its_own_exit_code(start):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start(f"http://127.0.0.1:{port}/x.onnx", *TWO, "--retry-seconds", "0", wait=False)
    assert server.exit_code() == 3


def test_an_invalid_setting_is_reported_once(start, tmp_path, affine):
    (tmp_path / "double.onnx").write_bytes(affine)
    (tmp_path / "tls.pem").write_text("no certificate")
    pem = str(tmp_path / "tls.pem")
    server = start(tmp_path / "double.onnx", *TWO, "--tls-cert", pem, "--tls-key", pem, wait=False)
    assert server.exit_code() == 1
    (line,) = server.lines
    assert line["message"].startswith("--tls-cert, --tls-key: ")


def test_a_signal_while_loading_ends_it_at_once(start, web):
    def silent(handler):
        server.wait_for("stopped")

    web.files["/x.onnx"] = silent
    server = start(f"{web.url}/x.onnx", *TWO, wait=False)
    server.wait_for("live")
    server.terminate()
    assert server.exit_code() == 0


def test_the_model_is_fetched_once(start, web, affine):
    web.files["/double.onnx"] = affine
    with tempfile.TemporaryDirectory() as cache:
        start(f"{web.url}/double.onnx", *TWO, "--cache-dir", cache)
    assert web.requests.count("/double.onnx") == 1


@pytest.fixture
def slower(slow):
    """A model that takes tens of milliseconds for one row."""
    model = onnx.load_from_string(slow)
    names = ["X", *(f"h{i}" for i in range(800)), "Y"]
    del model.graph.node[:]
    model.graph.node.extend(helper.make_node("MatMul", [a, "W"], [b]) for a, b in pairwise(names))
    return model.SerializeToString()


@pytest.mark.skipif(available_threads() == 1, reason="needs two CPUs")
def test_auto_starts_as_many_workers_as_are_useful(start, affine, slower, tmp_path):
    for name, data, expected in (("double", affine, available_threads()), ("slow", slower, 1)):
        (tmp_path / f"{name}.onnx").write_bytes(data)
        server = start(tmp_path / f"{name}.onnx", "--workers", "auto")
        assert server.wait_for("ready")["workers"] == expected
        assert server.request("GET", f"/v2/models/{name}/ready")[0] == 200
