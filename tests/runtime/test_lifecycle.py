"""The life of the process: readiness, draining, exit codes, termination messages."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure, Outcome

BODY = json.dumps(
    {"inputs": [{"name": "X", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]}]}
)


@pytest.fixture
def model(affine, tmp_path):
    path = tmp_path / "double.onnx"
    path.write_bytes(affine)
    return path


class Client(threading.Thread):
    """A client that sends requests, and reconnects if the server closes a connection.

    A refused connection is the end: the server does not listen any more. Everything else that is
    not the expected response is a failure.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.answers = 0
        self.connections = 0
        self.failures: list[str] = []
        self.first = threading.Event()

    def run(self) -> None:
        connection = None
        while True:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    return
                self.connections += 1
            try:
                connection.request("POST", "/v2/models/double/infer", BODY)
                response = connection.getresponse()
                right = response.status == 200 and b"3.0,5.0" in response.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
                return
            if not right:
                self.failures.append(str(response.status))
            self.answers += 1
            self.first.set()
            if connection.sock is None:  # the response closed the connection
                connection = None


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(("number", "drain"), [(signal.SIGTERM, 1.0), (signal.SIGINT, 60.0)])
def test_no_request_is_dropped_when_the_server_stops(start, model, number, drain, workers):
    server = start(model, "--drain-seconds", str(drain), "--workers", workers)
    clients = [Client(server.port) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        assert client.first.wait(60)
    assert sum(client.connections for client in clients) == len(clients)
    begun = time.monotonic()
    server.terminate(number)
    assert server.exit_code() == 0
    took = time.monotonic() - begun
    for client in clients:
        client.join(60)
        assert not client.is_alive()
    assert [failure for client in clients for failure in client.failures] == []
    assert took < 20
    if number == signal.SIGTERM:
        assert took >= drain
        assert all(client.connections > 1 for client in clients)


def test_a_draining_server_is_not_ready_but_responds_and_closes_connections(start, model):
    server = start(model, "--drain-seconds", "60")
    connection = server.connect()
    connection.request("GET", "/v2/health/ready")
    assert connection.getresponse().read()
    assert connection.sock is not None
    server.terminate()
    server.wait_for("draining")
    connection.request("POST", "/v2/models/double/infer", BODY)
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers["connection"] == "close"
    response.read()
    assert connection.sock is None
    status, body, headers = server.request("GET", "/v2/health/ready")
    assert (status, body) == (503, {"live": True, "ready": False})
    assert headers["connection"] == "close"
    assert server.request("GET", "/v2/models/double/ready")[0] == 503
    assert server.request("GET", "/v2/health/live")[0] == 200
    server.terminate()  # a second signal ends the wait
    assert server.exit_code() == 0


def test_a_request_in_flight_is_finished(start, slow, tmp_path):
    (tmp_path / "slow.onnx").write_bytes(slow)
    server = start(tmp_path / "slow.onnx", "--threads", "1")
    rows = 1000
    tensor = {"name": "X", "datatype": "FP32", "shape": [rows, 600], "data": [0.5] * rows * 600}
    connection = server.connect()
    connection.request("POST", "/v2/models/slow/infer", json.dumps({"inputs": [tensor]}))
    while "perennial_runtime_requests_in_flight 2.0" not in server.request("GET", "/metrics")[1]:
        pass
    server.terminate(signal.SIGINT)
    response = connection.getresponse()
    assert response.status == 200
    assert len(json.loads(response.read())["outputs"][0]["data"]) == rows * 600
    connection.close()
    assert server.exit_code() == 0


def test_a_client_cannot_extend_the_grace_period(start, model):
    server = start(model, "--grace-seconds", "0.5")
    with socket.create_connection(("127.0.0.1", server.port)) as stuck:
        stuck.sendall(
            b"POST /v2/models/double/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        )
        while "requests_in_flight 2.0" not in server.request("GET", "/metrics")[1]:
            pass
        server.terminate(signal.SIGINT)
        assert server.exit_code() == 1
    assert server.wait_for("the grace period is over")["unanswered"] == 1


def test_it_is_live_but_not_ready_until_the_model_is_loaded(start, web, affine):
    release = threading.Event()

    def slowly(handler):
        release.wait(60)
        handler.reply(200, affine)

    web.files["/double.onnx"] = slowly
    server = start(f"{web.url}/double.onnx", wait=False)
    assert server.request("GET", "/v2/health/live")[:2] == (200, {"live": True, "ready": False})
    assert server.request("GET", "/v2/health/ready")[0] == 503
    for method, path in (("GET", "/v2/models/double"), ("POST", "/v2/models/double/infer")):
        status, body, headers = server.request(method, path, BODY if method == "POST" else None)
        assert status == 503
        assert "is still loading" in body["error"]
        assert headers["retry-after"] == "1"
    release.set()
    server.wait_for("ready")
    assert server.request("GET", "/v2/health/ready")[0] == 200


def test_slow_imports_happen_after_the_server_is_live(clean_environment):
    program = (
        "import sys, perennial_runtime.cli, perennial_runtime.server;"
        "print({'numpy', 'onnxruntime', 'obstore', 'jinja2'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(
        command, capture_output=True, text=True, env=clean_environment, timeout=60, check=True
    )
    assert result.stdout == "set()\n"


def test_warm_up_requests_are_not_counted(start, flights, tmp_path):
    for name, data in flights().items():
        (tmp_path / name).write_bytes(data)
    server = start(tmp_path, "--name", "flights")
    assert server.wait_for("warm")
    counters = server.request("GET", "/v2/models/flights/counters")[1]
    assert counters["rows"] == 0
    assert not any(sum(counts) for counts in counters["features"].values())
    metrics = server.request("GET", "/metrics")[1]
    assert "perennial_runtime_run_seconds_count 0.0" in metrics


def test_a_signal_while_loading_ends_it_at_once(start, web):
    blocked = threading.Event()
    web.files["/x.onnx"] = lambda handler: blocked.wait(60)
    server = start(f"{web.url}/x.onnx", wait=False)
    server.wait_for("live")
    server.terminate()
    assert server.exit_code() == 0
    blocked.set()


def test_a_model_that_does_not_load_leaves_its_reason_in_the_termination_log(start, tmp_path):
    log = tmp_path / "termination-log"
    server = start(tmp_path / "absent.onnx", "--termination-message-path", str(log), wait=False)
    assert server.exit_code() == 1
    outcome = Outcome.from_text(log.read_text())
    assert outcome.reason == LoadFailure.MODEL_NOT_FOUND
    assert "absent.onnx: nothing found" in outcome.message
    assert server.lines[-1]["reason"] == "ModelNotFound"


def test_an_unreachable_store_has_its_own_exit_code(start, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start(f"http://127.0.0.1:{port}/x.onnx", "--retry-seconds", "0", wait=False)
    assert server.exit_code() == 3


def test_a_port_in_use_is_reported(start, model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start(model, "--http-port", str(port), wait=False)
        assert server.exit_code() == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in server.lines[-1]["message"]


def resolve(environment, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "perennial_runtime", "resolve", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


def test_resolve_prints_the_digest_and_writes_it_to_the_termination_log(
    model, affine, tmp_path, clean_environment
):
    log = tmp_path / "log"
    result = resolve(clean_environment, model, "--termination-message-path", log)
    assert result.returncode == 0
    assert Outcome.from_text(result.stdout) == Outcome(digest=digest_of(affine))
    assert Outcome.from_text(log.read_text()) == Outcome(digest=digest_of(affine))


def test_resolve_reports_why_a_model_does_not_load(tmp_path, clean_environment):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    result = resolve(clean_environment, tmp_path / "bad.onnx")
    assert result.returncode == 1
    assert Outcome.from_text(result.stdout).reason == LoadFailure.MODEL_CORRUPT


def test_an_unexpected_error_is_internal(model, clean_environment):
    (model.parent / "onnxruntime.py").write_text("raise RuntimeError('not today')")
    path = os.pathsep.join([str(model.parent), clean_environment.get("PYTHONPATH", "")])
    result = resolve(clean_environment | {"PYTHONPATH": path}, model)
    assert result.returncode == 1
    outcome = Outcome.from_text(result.stdout)
    assert outcome.reason == LoadFailure.INTERNAL_ERROR
    assert "RuntimeError: not today" in outcome.message
    assert "Traceback" in result.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can hand the process another user")
def test_an_ordinary_user_needs_only_a_writable_cache(web, affine, clean_environment):
    # First as root, to import everything: the interpreter may be in root's own directory.
    probe = (
        "import os, sys; from perennial_runtime.cli import main; uri, first, second = sys.argv[1:];"
        "main(['resolve', uri, '--cache-dir', first]); os.setgid(65532); os.setuid(65532);"
        "os.chdir('/'); sys.exit(main(['resolve', uri, '--cache-dir', second]))"
    )
    web.files["/double.onnx"] = affine
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        os.chown(second, 65532, 65532)
        result = subprocess.run(
            [sys.executable, "-B", "-c", probe, f"{web.url}/double.onnx", first, second],
            capture_output=True,
            text=True,
            env=clean_environment | {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"},
            timeout=60,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    assert Outcome.from_text(result.stdout.splitlines()[-1]).digest == digest_of(affine)
