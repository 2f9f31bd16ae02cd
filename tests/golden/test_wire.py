"""Bytes in, bytes out, in every protocol, without the texts of errors."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from golden import grpc_cases, rest_cases
from golden.metrics import families
from golden.record import DATA, bare, check
from golden.wire import fields, shape, steady
from support.runtime import Runtime, servers, without_settings

MODELS = {"double": "double.onnx", "flights": "flights", "fares": "fares"}
REST = {
    "double": rest_cases.DOUBLE,
    "flights": rest_cases.FLIGHTS,
    "fares": rest_cases.FARES,
}
GRPC = {
    "double": grpc_cases.DOUBLE,
    "flights": grpc_cases.FLIGHTS,
    "fares": grpc_cases.FARES,
}
SERVERS = {
    "double": ("double", "native"),
    "flights": ("flights", "native"),
    "fares": ("fares", "native"),
    "double-portable": ("double", "portable"),
}
NOT_RECORDED = ("date", "server", "content-length", "connection")


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Runtime]]:
    with servers(without_settings()) as start:
        found = {}
        for name, (model, front) in SERVERS.items():
            flags = ("--name", model, "--front", front, "--threads", "1")
            uri = DATA / "models" / MODELS[model]
            found[name] = start(uri, *flags, "--max-body-bytes", "10000", wait=False)
        for server in found.values():
            server.wait_for("ready")
        yield found


def rest(server: Runtime, case: rest_cases.Case) -> Any:
    method, path, body, headers = case
    connection = server.connect()
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    told = {k.lower(): v for k, v in response.headers.items() if k.lower() not in NOT_RECORDED}
    return {"status": response.status, "headers": told, "body": answered(response.status, data)}


def answered(status: int, data: bytes) -> Any:
    try:
        text = data.decode()
        document = json.loads(text)
    except ValueError:
        return data.hex()
    if isinstance(document, dict) and "openapi" in document:
        return bare(document)
    if status >= 400 or "rejected" in text:
        return shape(json.loads(steady(text)))
    return steady(text)


def call(channel: grpc.Channel, name: str, case: grpc_cases.Case) -> Any:
    path, data = case
    try:
        answer = channel.unary_unary(path)(data)
    except grpc.RpcError as error:
        return error.code().name
    return fields(answer, is_map=name in grpc_cases.MAPS)


@pytest.mark.parametrize("name", SERVERS)
def test_the_answers_over_rest_are_those_that_were_recorded(
    running: dict[str, Runtime], name: str
) -> None:
    model, _ = SERVERS[name]
    found = {key: rest(running[name], case) for key, case in REST[model].items()}
    check(f"wire/rest-{model}", found)


@pytest.mark.parametrize("name", SERVERS)
def test_the_answers_over_grpc_are_those_that_were_recorded(
    running: dict[str, Runtime], name: str
) -> None:
    model, _ = SERVERS[name]
    with grpc.insecure_channel(f"127.0.0.1:{running[name].port}") as channel:
        found = {key: call(channel, key, case) for key, case in GRPC[model].items()}
    check(f"wire/grpc-{model}", found)


def test_a_stream_answers_each_message_and_each_error_as_was_recorded(
    running: dict[str, Runtime],
) -> None:
    names = ("infer raw", "infer short", "infer typed")
    sent = [grpc_cases.DOUBLE[name][1] for name in names]
    with grpc.insecure_channel(f"127.0.0.1:{running['double'].port}") as channel:
        stream = channel.stream_stream(f"{grpc_cases.OIP}/ModelStreamInfer")
        found = [fields(answer) for answer in stream(iter(sent))]
    kept = [[[n, "TEXT" if n == 1 else value] for n, value in answer] for answer in found]
    check("wire/stream", kept)


def test_the_runtimes_metrics_are_those_that_were_recorded(running: dict[str, Runtime]) -> None:
    row = {"instances": [rest_cases.ROW]}
    assert running["flights"].request("POST", f"{rest_cases.F2}/predict", row)[0] == 200
    status, text, headers = running["flights"].request("GET", "/metrics")
    assert status == 200
    check("runtime_metrics", {"type": headers["content-type"], "families": families(text)})
