"""grpc.health.v1's Watch: a message at once and after each change, until the end."""

import contextlib
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from perennial_runtime.errors import UnavailableError
from perennial_runtime.protocol.grpc.schema import SERVICES
from perennial_runtime.routers import watchers
from perennial_runtime.routers.server_state import ServerState
from perennial_runtime.routers.watchers import Watchers

RESPONSE = health_pb2.HealthCheckResponse
SERVING, NOT_SERVING = RESPONSE.SERVING, RESPONSE.NOT_SERVING
SECONDS = 60


@pytest.fixture(params=["native", "portable"])
def front(request):
    return request.param


@pytest.fixture
def watch():
    """Return a function that watches a service: an iterator of statuses."""
    with contextlib.ExitStack() as stack:

        def begin(server, service=""):
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{server.port}"))
            stub = health_pb2_grpc.HealthStub(channel)
            return stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)

        yield begin


def test_a_watcher_gets_each_change_until_the_server_ends(start, web, affine, front, watch):
    release = threading.Event()

    def slowly(handler):
        release.wait(SECONDS)
        handler.reply(200, affine)

    web.files["/double.onnx"] = slowly
    arguments = ("--front", front, "--drain-seconds", "60")
    server = start(f"{web.url}/double.onnx", *arguments, wait=False)
    watching = [watch(server, service) for service in ("", *SERVICES)]
    unknown = watch(server, "strange")
    assert [next(each).status for each in watching] == [NOT_SERVING] * len(watching)
    release.set()
    assert [next(each).status for each in watching] == [SERVING] * len(watching)
    metrics = server.request("GET", "/metrics")[1]
    assert "perennial_runtime_requests_in_flight 1.0" in metrics  # it is itself
    server.terminate()
    assert [next(each).status for each in watching] == [NOT_SERVING] * len(watching)
    assert next(unknown).status == RESPONSE.SERVICE_UNKNOWN
    server.terminate()
    for each in (*watching, unknown):
        with pytest.raises(grpc.RpcError) as ended:
            next(each)
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        assert ended.value.details() == "the server is shutting down"
    assert server.exit_code() == 0


def test_a_watcher_of_one_of_several_workers_gets_each_change(start, affine, tmp_path, watch):
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx", "--workers", "2", "--drain-seconds", "60")
    watching = [watch(server) for _ in range(8)]
    assert {next(each).status for each in watching} == {SERVING}
    server.terminate()
    assert {next(each).status for each in watching} == {NOT_SERVING}
    server.terminate()
    assert server.exit_code() == 0


def test_a_disconnected_watcher_is_removed(start, affine, front, tmp_path, watch):
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx", "--front", front, "--drain-seconds", "0")
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for _ in range(watchers.MAX_WATCHERS + 10):
            call = stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS)
            assert next(call).status == SERVING
            call.cancel()
    last = watch(server)
    assert next(last).status == SERVING
    server.terminate()
    assert server.exit_code() == 0


class Caller:
    """The call of a client that watches."""

    def __init__(self):
        self.sent = []
        self.cancelled = False

    def respond_grpc(self, body, more=False):
        assert more
        self.sent.append(RESPONSE.FromString(body).status)
        return not self.cancelled

    def fail_grpc(self, code, message):
        self.sent.append(code)
        return True


def test_only_changes_are_sent():
    state = ServerState("m")
    active = Watchers(state)
    early, late, unknown = Caller(), Caller(), Caller()
    active.add(early, "")
    active.add(unknown, "strange")
    state.admit()
    state.admit()
    active.add(late, SERVICES[0])
    state.drain()
    state.drain()
    state.end()
    state.end()
    unavailable = grpc.StatusCode.UNAVAILABLE.value[0]
    assert early.sent == [NOT_SERVING, SERVING, NOT_SERVING, unavailable]
    assert late.sent == [SERVING, NOT_SERVING, unavailable]
    assert unknown.sent == [RESPONSE.SERVICE_UNKNOWN, unavailable]
    with pytest.raises(UnavailableError, match="the server is shutting down"):
        active.add(Caller(), "")


def test_the_number_of_watchers_is_limited_to_connected_ones(monkeypatch):
    monkeypatch.setattr(watchers, "MAX_WATCHERS", 2)
    active = Watchers(ServerState("m"))
    callers = [Caller(), Caller()]
    for caller in callers:
        active.add(caller, "")
    with pytest.raises(UnavailableError, match="2 clients are watching already"):
        active.add(Caller(), "")
    callers[0].cancelled = True
    active.add(Caller(), "")
