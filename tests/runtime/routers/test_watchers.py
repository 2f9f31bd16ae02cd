"""grpc.health.v1's Watch: told at once, told anew whenever it changes, ended with the server."""

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
    """Watches a service of a server, over a connection of its own: an iterator of statuses."""
    with contextlib.ExitStack() as stack:

        def begin(server, service=""):
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{server.port}"))
            stub = health_pb2_grpc.HealthStub(channel)
            return stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)

        yield begin


def test_who_watches_is_told_of_each_change_until_the_server_ends(start, web, affine, front, watch):
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


def test_who_watches_one_of_several_workers_is_told_too(start, affine, tmp_path, watch):
    (tmp_path / "double.onnx").write_bytes(affine)
    server = start(tmp_path / "double.onnx", "--workers", "2", "--drain-seconds", "60")
    watching = [watch(server) for _ in range(8)]
    assert {next(each).status for each in watching} == {SERVING}
    server.terminate()
    assert {next(each).status for each in watching} == {NOT_SERVING}
    server.terminate()
    assert server.exit_code() == 0


def test_who_has_gone_is_forgotten(start, affine, front, tmp_path, watch):
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
    """One that watches."""

    def __init__(self):
        self.told = []
        self.cancelled = False

    def respond_grpc(self, body, more=False):
        assert more
        self.told.append(RESPONSE.FromString(body).status)
        return not self.cancelled

    def fail_grpc(self, code, message):
        self.told.append(code)
        return True


def test_only_changes_are_told():
    standing = ServerState("m")
    crowd = Watchers(standing)
    early, late, unknown = Caller(), Caller(), Caller()
    crowd.add(early, "")
    crowd.add(unknown, "strange")
    standing.admit()
    standing.admit()
    crowd.add(late, SERVICES[0])
    standing.drain()
    standing.drain()
    standing.end()
    standing.end()
    unavailable = grpc.StatusCode.UNAVAILABLE.value[0]
    assert early.told == [NOT_SERVING, SERVING, NOT_SERVING, unavailable]
    assert late.told == [SERVING, NOT_SERVING, unavailable]
    assert unknown.told == [RESPONSE.SERVICE_UNKNOWN, unavailable]
    with pytest.raises(UnavailableError, match="the server is shutting down"):
        crowd.add(Caller(), "")


def test_there_is_room_for_so_many_and_who_has_gone_makes_room(monkeypatch):
    monkeypatch.setattr(watchers, "MAX_WATCHERS", 2)
    crowd = Watchers(ServerState("m"))
    callers = [Caller(), Caller()]
    for caller in callers:
        crowd.add(caller, "")
    with pytest.raises(UnavailableError, match="2 clients are watching already"):
        crowd.add(Caller(), "")
    callers[0].cancelled = True
    crowd.add(Caller(), "")
