"""Requests over REST, right and wrong, by model: method, path, body, headers."""

import json
import struct
from typing import Any

Case = tuple[str, str, bytes, dict[str, str]]
HEADER = "Inference-Header-Content-Length"


def get(path: str, **headers: str) -> Case:
    return "GET", path, b"", {name.replace("_", "-"): text for name, text in headers.items()}


def post(path: str, body: Any, **headers: str) -> Case:
    data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return "POST", path, data, {name.replace("_", "-"): text for name, text in headers.items()}


def binary(path: str, head: dict[str, Any], data: bytes) -> Case:
    text = json.dumps(head, separators=(",", ":")).encode()
    return "POST", path, text + data, {HEADER: str(len(text))}


def tensor(name: str, datatype: str, shape: list[int], data: Any = None, **more: Any) -> Any:
    found = {"name": name, "datatype": datatype, "shape": shape}
    return found | ({"data": data} if data is not None else {}) | more


X = tensor("X", "FP32", [2, 2], [1, 2, 3, 4.5])
WITH_BYTES = {"parameters": {"binary_data_size": 16}}
ROWS = struct.pack("<4f", 1, 2, 3, 4.5)
V2 = "/v2/models/double"
V1 = "/v1/models/double"
DOUBLE: dict[str, Case] = {
    "live": get("/v2/health/live"),
    "ready": get("/v2/health/ready"),
    "model ready": get(f"{V2}/ready"),
    "metadata": get(V2),
    "version": get(f"{V2}/versions/1"),
    "other version": get(f"{V2}/versions/2"),
    "other model": get("/v2/models/other"),
    "nowhere": get("/v3"),
    "root": get("/"),
    "profile": get(f"{V2}/profile"),
    "infer": post(f"{V2}/infer", {"id": "7", "inputs": [X]}),
    "infer nested": post(f"{V2}/infer", {"inputs": [{**X, "data": [[1, 2], [3, 4]]}]}),
    "infer output": post(f"{V2}/infer", {"inputs": [X], "outputs": [{"name": "Y"}]}),
    "infer highest": post(
        f"{V2}/infer",
        {"inputs": [X], "outputs": [{"name": "Y", "parameters": {"classification": 1}}]},
    ),
    "infer null": post(f"{V2}/infer", {"inputs": [{**X, "data": [1, None, 3, 4]}]}),
    "infer by get": get(f"{V2}/infer"),
    "infer no json": post(f"{V2}/infer", b"{"),
    "infer nothing": post(f"{V2}/infer", b""),
    "infer no inputs": post(f"{V2}/infer", {}),
    "infer type": post(f"{V2}/infer", {"inputs": [{**X, "datatype": "INT64"}]}),
    "infer shape": post(f"{V2}/infer", {"inputs": [{**X, "shape": [4]}]}),
    "infer too few": post(f"{V2}/infer", {"inputs": [{**X, "data": [1]}]}),
    "infer name": post(f"{V2}/infer", {"inputs": [{**X, "name": "Z"}]}),
    "infer unknown output": post(f"{V2}/infer", {"inputs": [X], "outputs": [{"name": "Q"}]}),
    "binary": binary(f"{V2}/infer", {"inputs": [tensor("X", "FP32", [2, 2], **WITH_BYTES)]}, ROWS),
    "binary output": binary(
        f"{V2}/infer",
        {
            "inputs": [tensor("X", "FP32", [2, 2], **WITH_BYTES)],
            "parameters": {"binary_data_output": True},
        },
        ROWS,
    ),
    "binary raw": post(f"{V2}/infer", ROWS, **{HEADER.replace("-", "_"): "0"}),
    "binary short": binary(
        f"{V2}/infer", {"inputs": [tensor("X", "FP32", [2, 2], **WITH_BYTES)]}, ROWS[:9]
    ),
    "binary header": post(f"{V2}/infer", ROWS, **{HEADER.replace("-", "_"): "x"}),
    "rows": post(f"{V2}/predict", {"instances": [[1, 2]]}),
    "feedback": post(f"{V2}/feedback", {"feedback": [{"prediction_id": "x", "label": 1}]}),
    "too large": post(f"{V2}/infer", b" " * 20_000),
    "encoding": post(f"{V2}/infer", b"x", content_encoding="zstd"),
    "v1 models": get("/v1/models"),
    "v1 status": get(V1),
    "v1 metadata": get(f"{V1}/metadata"),
    "v1 rows": post(f"{V1}:predict", {"instances": [[1, 2], [3, 4]]}),
    "v1 columns": post(f"{V1}:predict", {"inputs": [[1, 2]]}),
    "v1 named": post(f"{V1}/versions/1:predict", {"instances": [{"X": [1, 2]}]}),
    "v1 signature": post(f"{V1}:predict", {"signature_name": "other", "instances": [[1, 2]]}),
    "v1 not finite": post(f"{V1}:predict", b'{"instances": [[NaN, Infinity]]}'),
    "v1 shape": post(f"{V1}:predict", {"instances": [[1]]}),
    "v1 neither": post(f"{V1}:predict", {}),
    "v1 classify": post(f"{V1}:classify", {"examples": [{"X": [1, 2]}]}),
    "v1 regress": post(f"{V1}:regress", {"examples": [{"X": [1, 2]}]}),
    "v1 other": post("/v1/models/other:predict", {"instances": [[1]]}),
    "counters": get(f"{V2}/counters"),
}

ROW = {"amount": 2.0, "carrier": "AA", "seats": 150, "weekend": False}
F2, F1 = "/v2/models/flights", "/v1/models/flights"
INPUTS = [
    tensor("amount", "FP32", [2, 1], [1.5, None]),
    tensor("carrier", "BYTES", [2, 1], ["AA", ""]),
    tensor("seats", "INT64", [2, 1], [1, 2]),
    tensor("weekend", "BOOL", [2], [True, False]),
]
GIVEN = "V426T5YVAZt8qY8uAAAAAAcAAbiOOf4r"
"""The id of a prediction of class 1 by this version of the model."""
EARLIER = "ASNFZ4mrAZt8qY8uAAAAAAgAA5YfHhR6"
"""The id of a prediction by an earlier version, which may have had other classes."""
FLIGHTS: dict[str, Case] = {
    "metadata": get(F2),
    "profile": get(f"{F2}/profile"),
    "infer": post(f"{F2}/infer", {"inputs": INPUTS}),
    "infer label": post(f"{F2}/infer", {"inputs": INPUTS, "outputs": [{"name": "label"}]}),
    "infer classes": post(
        f"{F2}/infer",
        {
            "inputs": INPUTS,
            "outputs": [{"name": "probabilities", "parameters": {"classification": 2}}],
        },
    ),
    "rows": post(f"{F2}/predict", {"instances": [ROW, {"seats": 7, "weekend": True}]}),
    "rows list": post(f"{F2}/predict", {"instances": [[2.0, "AA", 150, False]]}),
    "rows bare": post(f"{F2}/predict", [ROW]),
    "rows unknown": post(f"{F2}/predict", {"instances": [{**ROW, "amout": 1}]}),
    "rows type": post(f"{F2}/predict", {"instances": [{**ROW, "seats": "x"}]}),
    "rows missing": post(f"{F2}/predict", {"instances": [{"amount": 1}]}),
    "rows none": post(f"{F2}/predict", {"instances": []}),
    "feedback": post(f"{F2}/feedback", {"feedback": [{"prediction_id": GIVEN, "label": "yes"}]}),
    "feedback twice": post(
        f"{F2}/feedback",
        {"feedback": [{"prediction_id": GIVEN, "label": "no"}, {"prediction_id": "x"}, 7]},
    ),
    "feedback earlier": post(
        f"{F2}/feedback", {"feedback": [{"prediction_id": EARLIER, "label": "other"}]}
    ),
    "feedback label": post(f"{F2}/feedback", {"feedback": [{"prediction_id": GIVEN}]}),
    "feedback none": post(f"{F2}/feedback", {"feedback": []}),
    "feedback no json": post(f"{F2}/feedback", b"["),
    "v1 rows": post(f"{F1}:predict", {"instances": [ROW, {"seats": 7, "weekend": True}]}),
    "v1 columns": post(f"{F1}:predict", {"inputs": {name: [ROW[name]] for name in ROW}}),
    "v1 base64": post(f"{F1}:predict", {"instances": [{**ROW, "carrier": {"b64": "QUE="}}]}),
    "v1 metadata": get(f"{F1}/metadata"),
    "v1 classify": post(f"{F1}:classify", {"examples": [ROW], "context": {"seats": 1}}),
    "v1 regress": post(f"{F1}:regress", {"examples": [ROW]}),
    "openapi": get("/openapi.json"),
    "counters": get(f"{F2}/counters"),
}

F = "/v2/models/fares"
FARES: dict[str, Case] = {
    "metadata": get(F),
    "rows": post(f"{F}/predict", {"instances": [{"miles": 5}, {"miles": None}]}),
    "infer": post(f"{F}/infer", {"inputs": [tensor("miles", "FP32", [1, 1], [2])]}),
    "v1 rows": post("/v1/models/fares:predict", {"instances": [5, 6]}),
    "v1 regress": post("/v1/models/fares:regress", {"examples": [{"miles": 5}]}),
    "v1 classify": post("/v1/models/fares:classify", {"examples": [{"miles": 5}]}),
    "counters": get(f"{F}/counters"),
}
