"""Several worker processes behind one port: one server to whoever looks at it."""

import os
import signal
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
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
from perennial_runtime.errors import UnavailableError
from perennial_runtime.metrics import Metrics, RunTotals
from perennial_runtime.workers import peer_metrics
from perennial_runtime.workers.peer_metrics import PeerMetrics

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
    """A prediction over a connection of its own; its id."""
    status, body, _ = server.request("POST", f"{MODEL}/predict", {"instances": [ROW]})
    assert status == 200, body
    return body["predictions"][0]["prediction_id"]


def processes_of(server):
    """The ids of the worker processes."""
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers_that_answered(server):
    return {line["worker"] for line in server.lines if line["message"] == "request"}


def sample(text, name):
    """The value of a metric of one sample, which must be there once."""
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return float(line.rpartition(" ")[2])


def test_whoever_is_asked_tells_what_all_have_counted(serve):
    server = serve("--log-requests", "true")
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: predict(server), range(300)))
    assert len(set(ids)) == 300
    labels = {"feedback": [{"prediction_id": text, "label": 1} for text in ids]}
    assert server.request("POST", f"{MODEL}/feedback", labels)[1]["accepted"] == 300

    told = [server.request("GET", f"{MODEL}/counters")[1] for _ in range(20)]
    assert all(each == told[0] for each in told)
    counters = Counters.model_validate(told[0])
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


def test_the_files_of_two_workers_are_never_the_same(serve, tmp_path):
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


def test_the_end_of_one_worker_is_the_end_of_all(serve):
    server = serve()
    os.kill(processes_of(server)[1], signal.SIGKILL)
    assert server.exit_code() == 1
    assert server.wait_for("worker 2 was ended by SIGKILL, so the others end too")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


@pytest.mark.parametrize("path", ["/metrics", f"{MODEL}/counters"])
def test_a_worker_that_outlives_another_tells_what_both_have_counted(serve, path):
    server = serve()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: predict(server), range(100)))
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as late:
        # Whichever worker has this request cannot end before its body has come.
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


def test_under_asks_the_end_of_the_workers_takes_no_count_back(start, flights, write_files):
    files = write_files(flights())
    server = start(files, "--name", "flights", "--workers", "3", "--drain-seconds", "0.5")
    for _ in range(30):
        predict(server)
    asked = threading.Barrier(5)

    def ask_until_nobody_listens():
        told = []
        with suppress(ConnectionRefusedError):
            while True:
                status, text, _ = server.request("GET", "/metrics")
                assert status == 200, text
                told.append(sample(text, "perennial_runtime_rows_total"))
                predict(server)
                if len(told) == 1:
                    asked.wait(PATIENCE)
        return told

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(ask_until_nobody_listens) for _ in range(4)]
        asked.wait(PATIENCE)
        server.terminate()
        for client in clients:
            told = client.result()
            assert told == sorted(told)
            assert told[-1] > 30
    assert server.exit_code() == 0


def test_no_worker_outlives_who_started_it(serve):
    server = serve()
    server.process.kill()
    server.exit_code()  # the workers hold its standard error, and its reader waits for its end
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_a_signal_that_goes_to_all_the_processes_counts_once(serve):
    server = serve("--drain-seconds", "60")
    for pid in processes_of(server):
        os.kill(pid, signal.SIGTERM)
    assert server.request("GET", "/v2/health/ready")[0] == 200
    server.terminate()
    server.wait_for("draining")
    while server.request("GET", "/v2/health/ready")[0] == 200:
        pass  # the other worker has not heard it yet
    predict(server)
    server.terminate()
    assert server.exit_code() == 0


def test_nothing_is_left_in_the_cache_folder_at_the_end(serve, tmp_path):
    server = serve("--cache-dir", str(tmp_path / "c"))
    (folder,) = (tmp_path / "c").glob("workers-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    server.terminate()
    assert server.exit_code() == 0
    assert list((tmp_path / "c").glob("workers-*")) == []


def test_what_a_killed_one_left_is_removed_and_what_is_in_use_is_not(serve, tmp_path):
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


def test_a_port_in_use_is_said_once(serve):
    """Also where those who use it share it among themselves."""
    port = serve().port
    server = serve("--http-port", str(port), wait=False)
    assert server.exit_code() == 1
    (line,) = server.lines
    assert f"cannot listen on 127.0.0.1 port {port}" in line["message"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent", LoadFailure.MODEL_NOT_FOUND), ("bad", LoadFailure.MODEL_CORRUPT)],
)
def test_a_model_that_does_not_load_is_told_once(start, tmp_path, name, reason):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    log = tmp_path / "termination-log"
    path = tmp_path / f"{name}.onnx"
    server = start(path, *TWO, "--termination-message-path", str(log), wait=False)
    assert server.exit_code() == 1
    assert Outcome.from_text(log.read_text()).reason == reason
    assert [line["reason"] for line in server.lines if "reason" in line] == [reason.value]


def test_an_unreachable_store_is_told_by_the_exit_code(start):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start(f"http://127.0.0.1:{port}/x.onnx", *TWO, "--retry-seconds", "0", wait=False)
    assert server.exit_code() == 3


def test_a_setting_that_cannot_be_used_is_told_once(start, tmp_path, affine):
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


def test_it_is_fetched_once(start, web, affine):
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
def test_auto_starts_as_many_as_pay(start, affine, slower, tmp_path):
    for name, data, expected in (("double", affine, available_threads()), ("slow", slower, 1)):
        (tmp_path / f"{name}.onnx").write_bytes(data)
        server = start(tmp_path / f"{name}.onnx", "--workers", "auto")
        assert server.wait_for("ready")["workers"] == expected
        assert server.request("GET", f"/v2/models/{name}/ready")[0] == 200


@pytest.fixture
def directory():
    with tempfile.TemporaryDirectory() as path:  # a socket's path must be short
        yield Path(path)


@pytest.fixture
def view_of(directory):
    """Makes the view of a worker that has run its model once; ``rows=None``: is loading it."""
    with ExitStack() as stack:

        def make(number, rows):
            metrics = Metrics()
            view = PeerMetrics(metrics, directory, number)
            stack.push(suppress(OSError))  # a test may have closed it
            stack.callback(view.close)
            if rows is not None:
                metrics.ran((0.5,), 1.0)
                view.serve(lambda: Counters(instance="i", digest="d", rows=rows))
            return view

        yield make


def test_any_number_of_views_tell_the_same(view_of):
    views = [view_of(number, rows) for number, rows in ((1, 5), (2, 7), (3, 0))]
    for view in views:
        assert view.counters() == Counters(instance="i", digest="d", rows=12)
        assert view.runs() == RunTotals(3, 3, 1_500_000_000, 3_000_000_000)
        assert "perennial_runtime_queue_seconds_sum 1.5" in view.text().decode()


def test_a_sibling_that_does_not_answer_makes_the_sum_unknown(view_of, directory, monkeypatch):
    monkeypatch.setattr(peer_metrics, "ANSWER_SECONDS", 0.05)
    view = view_of(1, 5)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(directory / "2"))
        silent.listen()
        for ask in (view.counters, view.runs, view.text):
            with pytest.raises(UnavailableError, match="not all worker processes"):
                ask()
    with pytest.raises(UnavailableError):  # it has died
        view.counters()


def test_what_one_has_left_counts_for_ever_and_its_gauges_do_not(view_of):
    views = [view_of(number, rows) for number, rows in ((1, 5), (2, 7), (3, 0))]
    before = views[0].text().decode().splitlines()
    views[1].close()
    for view in (views[0], views[2]):
        assert view.counters().rows == 12
        assert view.runs().runs == 3
    after = views[0].text().decode()
    held = sample("\n".join(before), "process_resident_memory_bytes")
    assert sample(after, "process_resident_memory_bytes") == pytest.approx(held * 2 / 3, rel=0.1)
    counted = [line for line in before if line.startswith("perennial_runtime_run_seconds")]
    assert counted == [line for line in after.splitlines() if line in counted]


def test_one_that_ended_before_it_had_the_model_leaves_its_counters_unknown(view_of):
    view, other = view_of(1, 5), view_of(2, None)
    other.close()
    with pytest.raises(UnavailableError):
        view.counters()
    assert view.runs().runs == 1


def test_before_all_have_the_model_the_sum_of_its_counters_is_unknown(view_of):
    view = view_of(1, 5)
    view_of(2, None)
    with pytest.raises(UnavailableError):
        view.counters()
    assert view.runs().runs == 1
