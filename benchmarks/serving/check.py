"""Check a server's answers to a real client, and to the bytes of the load."""

import json
from dataclasses import dataclass

import grpc
import numpy as np
import tritonclient.grpc as grpc_client
import tritonclient.http as http_client
from tritonclient.utils import InferenceServerException

from . import exchange
from .models import Arrays, Model
from .payload import LENGTH_HEADER, Payload, http_input
from .text import one_line
from .works import GRPC_PATH, MODEL_NAME, Work

FRAMING = 5
"""Bytes before a message of gRPC."""
TIMEOUT = 30.0


class NotServedError(Exception):
    """Error: the server does not support this work; with its response as one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason))


@dataclass(frozen=True)
class Ports:
    """Ports of a server."""

    http: int
    grpc: int


def check(work: Work, model: Model, payload: Payload, ports: Ports) -> int:
    """Return the bytes of a correct response, as ``Load.bytes_each`` counts them.

    Raises:
        NotServedError: the response is an error, or differs from the model's answer.
    """
    try:
        if work.protocol == "grpc":
            return _check_grpc(work, model, payload, ports.grpc)
        return _check_http(work, model, payload, ports.http)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotServedError(f"{type(error).__name__}: {error}") from None


def compare(expected: Arrays, got: Arrays) -> None:
    """Compare answers with the model's own.

    Raises:
        NotServedError: an output differs; the message names the first one.
    """
    for name, right in expected.items():
        if name not in got:
            raise NotServedError(f"wrong answer: no output {name}, only {', '.join(got) or 'none'}")
        values = got[name]
        if values is not None and values.shape == (*right.shape, 1):
            values = values[..., 0]  # MLServer's codec writes a vector as a column
        if values is None or values.shape != right.shape:
            shape = None if values is None else values.shape
            raise NotServedError(f"wrong answer: {name} of shape {shape}, expected {right.shape}")
        if not np.allclose(values.astype(float), right.astype(float), rtol=1e-3, atol=1e-5):
            raise NotServedError(f"wrong answer: {name} has other values than the model in process")


def _check_http(work: Work, model: Model, payload: Payload, port: int) -> int:
    answer = exchange.post(port, payload.body, payload.headers, TIMEOUT)
    if answer.status != 200:
        raise NotServedError(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
    binary = work.protocol == "binary"
    if binary:
        length = int(answer.headers.get(LENGTH_HEADER.lower(), 0)) or None
        result = http_client.InferResult.from_response_body(answer.body, header_length=length)
        compare(payload.expected, {name: result.as_numpy(name) for name in payload.expected})
    else:
        compare(payload.expected, read_json(answer.body))
    _ask_by_http_client(work, model, payload, port, binary)
    return answer.size


def read_json(body: bytes) -> Arrays:
    """Return the outputs of a response in JSON, by name."""
    return {
        output["name"]: np.array(output["data"]).reshape(output["shape"])
        for output in json.loads(body)["outputs"]
    }


def _ask_by_http_client(
    work: Work, model: Model, payload: Payload, port: int, binary: bool
) -> None:
    client = http_client.InferenceServerClient(f"127.0.0.1:{port}", network_timeout=TIMEOUT)
    try:
        result = client.infer(
            MODEL_NAME,
            [http_input(model, model.batch(work.rows), binary)],
            headers={"Content-Type": payload.headers["Content-Type"]},  # FastAPI requires it
            outputs=[
                http_client.InferRequestedOutput(name, binary_data=binary)
                for name in payload.expected
            ],
        )
        got = {name: result.as_numpy(name) for name in payload.expected}
    except InferenceServerException as error:
        raise NotServedError(f"tritonclient.http: {error}") from None
    finally:
        client.close()
    compare(payload.expected, got)


def _check_grpc(work: Work, model: Model, payload: Payload, port: int) -> int:
    address = f"127.0.0.1:{port}"
    try:
        with grpc.insecure_channel(address) as channel:
            call = channel.unary_unary(GRPC_PATH)
            answer: bytes = call(payload.body, timeout=TIMEOUT)
    except grpc.RpcError as error:
        raise NotServedError(f"{error.code().name}: {error.details()}") from None
    compare(payload.expected, read_grpc(answer))
    _ask_by_grpc_client(work, model, payload, address)
    return len(answer) + FRAMING


def read_grpc(message: bytes) -> Arrays:
    """Return the outputs of a ModelInferResponse, raw or typed, by name."""
    response = grpc_client.service_pb2.ModelInferResponse.FromString(message)
    result = grpc_client.InferResult(response)
    return {output.name: result.as_numpy(output.name) for output in response.outputs}


def _ask_by_grpc_client(work: Work, model: Model, payload: Payload, address: str) -> None:
    batch = model.batch(work.rows)
    tensor = grpc_client.InferInput(model.input, list(batch.shape), "FP32")
    tensor.set_data_from_numpy(batch)
    client = grpc_client.InferenceServerClient(address)
    try:
        result = client.infer(MODEL_NAME, [tensor], client_timeout=TIMEOUT)
    except InferenceServerException as error:
        raise NotServedError(f"tritonclient.grpc: {error}") from None
    finally:
        client.close()
    compare(payload.expected, {name: result.as_numpy(name) for name in payload.expected})
