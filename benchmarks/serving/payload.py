"""Bytes of a request, encoded once and sent in a loop."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tritonclient.grpc as grpc_client
import tritonclient.http as http_client

from .models import Arrays, Model
from .works import MODEL_NAME, Work

LENGTH_HEADER = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class Payload:
    """Request of a work."""

    body: bytes
    """HTTP body, or gRPC message without its five bytes of framing."""
    headers: dict[str, str]
    """HTTP headers without the length."""
    expected: Arrays

    def write(self, path: Path, grpc: bool) -> Path:
        """Write the bytes to a file for a load generator."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(grpc_frame(self.body) if grpc else self.body)
        return path


def build(work: Work, model: Model) -> Payload:
    """Build the request of a work."""
    batch = model.batch(work.rows)
    expected = model.expected(work.rows)
    if work.protocol == "json":
        tensor = {
            "name": model.input,
            "shape": list(batch.shape),
            "datatype": "FP32",
            # Few decimals, not the 17 digits of a float32 as a float64.
            "data": [float(str(value)) for value in batch.ravel()],
        }
        body = json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
        return Payload(body, {"Content-Type": "application/json"}, expected)
    if work.protocol == "binary":
        body, length = http_client.InferenceServerClient.generate_request_body(
            [http_input(model, batch, binary=True)]
        )
        headers = {"Content-Type": "application/octet-stream", LENGTH_HEADER: str(length)}
        return Payload(bytes(body), headers, expected)
    request = grpc_client.service_pb2.ModelInferRequest(model_name=MODEL_NAME)
    request.inputs.add(name=model.input, datatype="FP32", shape=batch.shape)
    request.raw_input_contents.append(batch.tobytes())
    return Payload(request.SerializeToString(), {}, expected)


def http_input(
    model: Model, batch: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", binary: bool
) -> http_client.InferInput:
    """Return the batch as an input of tritonclient."""
    tensor = http_client.InferInput(model.input, list(batch.shape), "FP32")
    tensor.set_data_from_numpy(batch, binary_data=binary)
    return tensor


def grpc_frame(message: bytes) -> bytes:
    """Return a message with its length before it, as in the data of HTTP/2.

    >>> grpc_frame(b"ab")
    b'\\x00\\x00\\x00\\x00\\x02ab'
    """
    return b"\0" + len(message).to_bytes(4, "big") + message
