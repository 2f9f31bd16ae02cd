"""Limits, timeouts, shutdown and TLS, with both frontends."""

import datetime
import socket
import ssl
import struct
import threading
import time

import grpc
import hpack
import numpy as np
import pytest
import tritonclient.http as triton
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from onnx import TensorProto
from support.clients import imported

triton_grpc = imported("tritonclient.grpc")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FRONTS = ("native", "portable")
SERVICE = "inference.GRPCInferenceService"
ROWS = np.array([[1.0, 2.0]], np.float32)


@pytest.fixture(scope="module", params=FRONTS)
def front(request):
    return request.param


@pytest.fixture(scope="module")
def server(start, affine, front, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "double.onnx"
    path.write_bytes(affine)
    limits = ("--pause-seconds", "0.5", "--idle-seconds", "2", "--max-body-bytes", "10000")
    return start(path, "--front", front, *limits)


@pytest.fixture(scope="module")
def slow_server(start, slow, front, tmp_path_factory):
    """A server whose runs of many rows take a second or more."""
    path = tmp_path_factory.mktemp("model") / "slow.onnx"
    path.write_bytes(slow)
    return start(path, "--front", front, "--threads", "1", "--max-in-flight", "2")


def infer(server, rows=ROWS):
    tensor = triton_grpc.InferInput("X", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows)
    with triton_grpc.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        return client.infer("double", [tensor]).as_numpy("Y")


def slow_inputs(library, rows=1500):
    tensor = library.InferInput("X", [rows, 600], "FP32")
    tensor.set_data_from_numpy(np.full((rows, 600), 0.5, np.float32))
    return [tensor]


def cancelled(server):
    """Return the number of requests whose client disconnected."""
    text = server.request("GET", "/metrics")[1]
    lines = [line for line in text.splitlines() if line.startswith("perennial_runtime_requests_t")]
    return sum(float(line.split()[-1]) for line in lines if 'code="499"' in line)


def runs(server):
    text = server.request("GET", "/metrics")[1]
    line = next(x for x in text.splitlines() if x.startswith("perennial_runtime_run_seconds_count"))
    return float(line.split()[-1])


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline


def test_one_port_serves_both_protocols(server):
    assert server.request("GET", "/v2/health/live")[0] == 200
    assert infer(server).tolist() == [[3.0, 5.0]]
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        tensor = triton.InferInput("X", [1, 2], "FP32")
        tensor.set_data_from_numpy(ROWS)
        assert client.infer("double", [tensor]).as_numpy("Y").tolist() == [[3.0, 5.0]]


def test_an_unknown_grpc_method_is_unimplemented(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        for path in (f"/{SERVICE}/Nothing", "/v2"):
            with pytest.raises(grpc.RpcError) as error:
                channel.unary_unary(path)(b"")
            assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert server.request("POST", f"/{SERVICE}/ModelInfer", b"x")[0] == 404


def test_a_message_over_the_limit_is_rejected(server):
    with pytest.raises(triton_grpc.InferenceServerException, match="10000 bytes") as error:
        infer(server, np.zeros((2000, 2), np.float32))
    assert error.value.status() == "StatusCode.RESOURCE_EXHAUSTED"


def test_bytes_that_are_not_a_message_make_the_request_invalid(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        for data in (b"\xff" * 9, b"\x0a\x7f"):
            with pytest.raises(grpc.RpcError) as error:
                channel.unary_unary(f"/{SERVICE}/ModelInfer")(data)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_client_that_pauses_within_a_request_gets_a_timeout(server):
    head = b"POST /v2/models/double/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(head)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"sent nothing for too long" in answer


@pytest.mark.parametrize("sent", [b"", b"GET /v2 HTT", b"PRI * HTTP/2.0"])
def test_an_unused_connection_is_closed(server, sent):
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(sent)
        assert b"HTTP/1.1 200" not in b"".join(iter(lambda: client.recv(4096), b""))


def test_clients_that_disconnect_leave_no_request_in_flight(server):
    for _ in range(50):
        client = socket.create_connection(("127.0.0.1", server.port), 30)
        client.sendall(b"POST /v2/models/double/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # a reset
    until(lambda: "requests_in_flight 1.0" in server.request("GET", "/metrics")[1])
    assert not [line for line in server.lines if line.get("level") == "error"]


def test_a_deadline_ends_a_call(slow_server):
    with triton_grpc.InferenceServerClient(f"127.0.0.1:{slow_server.port}") as client:
        start = time.monotonic()
        with pytest.raises(triton_grpc.InferenceServerException) as error:
            client.infer("slow", slow_inputs(triton_grpc), client_timeout=0.2)
        assert error.value.status() == "StatusCode.DEADLINE_EXCEEDED"
        assert time.monotonic() - start < 5
    until(lambda: "requests_in_flight 1.0" in slow_server.request("GET", "/metrics")[1])


def test_a_cancelled_request_does_not_run(slow_server):
    # The first request keeps the only thread busy; the second is cancelled while it waits.
    before, counted = runs(slow_server), cancelled(slow_server)
    with triton_grpc.InferenceServerClient(f"127.0.0.1:{slow_server.port}") as client:
        calls = [
            client.async_infer("slow", slow_inputs(triton_grpc), lambda result, error: None)
            for _ in range(2)
        ]
        until(lambda: "requests_queued 1.0" in slow_server.request("GET", "/metrics")[1])
        for call in calls:
            call.cancel()
        until(lambda: "requests_in_flight 1.0" in slow_server.request("GET", "/metrics")[1])
        until(lambda: cancelled(slow_server) > counted)
    assert runs(slow_server) == before + 1


def test_too_many_requests_are_rejected(slow_server):
    codes, messages = [], []

    def ask():
        url = f"127.0.0.1:{slow_server.port}"
        with triton.InferenceServerClient(url, network_timeout=120) as client:
            try:
                client.infer("slow", slow_inputs(triton))
            except triton.InferenceServerException as error:
                codes.append(error.status())
                messages.append(error.message())
            else:
                codes.append("200")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) == {"200", "429"}  # a cancelled request may still be in the queue
    assert all("2 requests are waiting for the model already" in message for message in messages)


def test_the_time_of_a_request_can_be_limited(start, slow, front, tmp_path):
    (tmp_path / "slow.onnx").write_bytes(slow)
    server = start(tmp_path / "slow.onnx", "--front", front, "--request-seconds", "0.1")
    with (
        triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client,
        pytest.raises(triton.InferenceServerException, match="took too long") as error,
    ):
        client.infer("slow", slow_inputs(triton))
    assert error.value.status() == "503"


def test_a_grpc_client_loses_no_request_when_the_server_stops(start, affine, tmp_path):
    # Only with the native frontend: Hypercorn interrupts HTTP/2 connections at the end.
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx", "--front", "native", "--drain-seconds", "1")
    tensor = triton_grpc.InferInput("X", [1, 2], "FP32")
    tensor.set_data_from_numpy(ROWS)
    failures = []
    answered = 0
    with triton_grpc.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        client.infer("double", [tensor])
        server.terminate()
        while not failures:
            try:
                client.infer("double", [tensor])
                answered += 1
            except triton_grpc.InferenceServerException as error:
                failures.append(error)
    assert server.exit_code() == 0
    assert answered > 100
    # At the end nobody listens. The library itself retries a call that GOAWAY excluded, unless
    # retries are disabled.
    assert failures[0].status() == "StatusCode.UNAVAILABLE"
    assert "refused" in failures[0].message()


def test_a_connection_made_during_the_drain_gets_its_responses_and_goaway(start, affine, tmp_path):
    # Only with the native frontend.
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx", "--front", "native", "--drain-seconds", "60")
    server.terminate()
    server.wait_for("draining")
    settings, ping, go_away, window_update = 4, 6, 7, 8
    asked, answered, is_away = 0, 0, False
    request = hpack.Encoder().encode(
        [(":method", "GET"), (":scheme", "http"), (":path", "/v2"), (":authority", "x")]
    )
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        frames = client.makefile("rb")

        def send(kind, flags, stream, data=b""):
            head = struct.pack(">I", len(data))[1:] + struct.pack(">BBI", kind, flags, stream)
            client.sendall(head + data)

        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        send(settings, 0, 0)
        send(window_update, 0, 0, struct.pack(">I", 1 << 30))
        while True:
            if asked == answered and not is_away:
                send(1, 5, 2 * asked + 1, request)
                asked += 1
            head = frames.read(9)
            if not head:
                break
            kind, flags = head[3:5]
            data = frames.read(int.from_bytes(head[:3]))
            if kind in (settings, ping) and not flags:
                send(kind, 1, 0, data if kind == ping else b"")
            is_away = is_away or kind == go_away
            answered += kind in (0, 1) and flags & 1
    assert is_away
    assert asked == answered > 1
    server.terminate()
    assert server.exit_code() == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "tls.crt").write_bytes(made.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.key").write_bytes(secret)
    return folder / "tls.crt", folder / "tls.key"


def test_both_protocols_work_over_tls(start, affine, front, certificate, tmp_path):
    (tmp_path / "double.onnx").write_bytes(affine)
    chain, key = certificate
    files = ("--tls-cert", str(chain), "--tls-key", str(key))
    server = start(tmp_path / "double.onnx", "--front", front, *files)
    port = server.port
    tensor = triton_grpc.InferInput("X", [1, 2], "FP32")
    tensor.set_data_from_numpy(ROWS)
    with triton_grpc.InferenceServerClient(
        f"localhost:{port}", ssl=True, root_certificates=str(chain)
    ) as client:
        assert client.infer("double", [tensor]).as_numpy("Y").tolist() == [[3.0, 5.0]]
    context = ssl.create_default_context(cafile=str(chain))
    with (
        socket.create_connection(("127.0.0.1", port), 30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(b"GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")


def test_an_invalid_certificate_is_reported(start, affine, certificate, tmp_path):
    (tmp_path / "double.onnx").write_bytes(affine)
    model, chain = tmp_path / "double.onnx", str(certificate[0])
    server = start(model, "--tls-cert", chain, "--tls-key", chain, wait=False)
    assert server.exit_code() == 1
    assert "--tls-cert, --tls-key:" in server.lines[-1]["message"]
    server = start(model, "--tls-cert", chain, wait=False)
    assert server.exit_code() == 2


@pytest.fixture(scope="module")
def mirror(start, identity, front, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "mirror.onnx"
    path.write_bytes(identity(X=(TensorProto.FLOAT, ["N"])))
    return start(path, "--name", "mirror", "--front", front)


@pytest.mark.parametrize("name", ["1", "12", "123", "1234"])
@pytest.mark.parametrize("count", [3, 5_000, 200_000, 1_000_001])
def test_a_tensor_is_complete_for_every_length_of_its_head(mirror, count, name):
    # Small bodies are copied, large ones are not, and the last is longer than the first buffer.
    rows = np.random.default_rng(count).random(count, np.float32)
    tensor = triton.InferInput("X", [count], "FP32")
    tensor.set_data_from_numpy(rows)
    with triton.InferenceServerClient(f"127.0.0.1:{mirror.port}") as client:
        for compression in (None, "gzip"):
            answer = client.infer(
                "mirror", [tensor], request_id=name, request_compression_algorithm=compression
            )
            np.testing.assert_array_equal(answer.as_numpy("X_out"), rows)
