"""Send invalid requests to the model server, for a given time.

    .venv/bin/python benchmarks/fuzz.py [--seconds 60] [--seed 0]

Valid requests of every protocol (JSON, binary tensors, rows, TensorFlow Serving's, gRPC) are cut,
spliced, flipped and enlarged, and sent over real connections to a real server. The server must
reject bad input, never with 500, INTERNAL or UNKNOWN nor by closing the connection, and its memory
must not grow. Prints the numbers of responses by protocol and status, and the server's resident
memory over time. Exits with 1 if a rule is broken.
"""

import argparse
import collections
import http.client
import json
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
import numpy as np
from onnx import TensorProto, helper
from tritonclient.grpc import service_pb2

BAD = {"500", "INTERNAL", "UNKNOWN", "closed"}
INTERESTING = (b"0", b"-1", b"null", b"[]", b"{}", b'""', b"1e999", b"NaN", b"true", b"4294967296")
GRPC = "/inference.GRPCInferenceService/"
TFS = "/tensorflow.serving.PredictionService/"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds to run")
    parser.add_argument("--seed", type=int, default=0, help="seed of the mutations")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    memory: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(model())
        process, port = start(path)
        try:
            seeds = requests()
            begun = time.monotonic()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                while (spent := time.monotonic() - begun) < options.seconds:
                    if not memory or spent - memory[-1][0] >= options.seconds / 10:
                        memory.append((spent, resident(process.pid)))
                    for name, target, headers, body in seeds:
                        broken = mutated(body, chance)
                        if target.startswith((GRPC, TFS)):
                            answer = ask_grpc(channel, target, broken)
                        else:
                            answer = ask_http(port, target, headers, broken)
                        counts[name][answer] += 1
            memory.append((time.monotonic() - begun, resident(process.pid)))
            alive = process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    for name, answers in counts.items():
        summary = ", ".join(f"{answer} {count}" for answer, count in answers.most_common())
        print(f"{name:22} {sum(answers.values()):7}  {summary}")
    print("resident MB:", ", ".join(f"{size:.1f} at {moment:.0f} s" for moment, size in memory))
    bad = sum(answers[answer] for answers in counts.values() for answer in BAD)
    # The first tenth is for memory that is only allocated once.
    grown = memory[-1][1] - memory[1][1]
    print(
        f"{sum(map(sum, (c.values() for c in counts.values())))} requests, {bad} with a bad "
        f"response; memory {grown:+.1f} MB after the first tenth; "
        f"the server {'lives' if alive else 'DIED'}"
    )
    return int(bool(bad) or not alive or grown > 20)


def model() -> bytes:
    """Return a model that repeats a float, a text and an integer for each row."""
    types = {"x": TensorProto.FLOAT, "t": TensorProto.STRING, "n": TensorProto.INT64}
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name in types],
        "g",
        [helper.make_tensor_value_info(name, kind, ["N"]) for name, kind in types.items()],
        [helper.make_tensor_value_info(f"{n}_out", kind, ["N"]) for n, kind in types.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def requests() -> list[tuple[str, str, dict[str, str], bytes]]:
    """Return protocol, path, headers and body of valid requests."""
    tensors = [
        {"name": "x", "datatype": "FP32", "shape": [2], "data": [1.5, None]},
        {"name": "t", "datatype": "BYTES", "shape": [2], "data": ["a", "naïve"]},
        {"name": "n", "datatype": "INT64", "shape": [2], "data": [1, 2]},
    ]
    rows = [{"x": 1.5, "t": "a", "n": 1}, {"x": None, "n": 2}]
    raws = [
        np.array([1, 2], "f4").tobytes(),
        b"".join(struct.pack("<I", len(text)) + text for text in (b"a", b"bc")),
        np.array([1, 2], "i8").tobytes(),
    ]
    head = json.dumps(
        {
            "inputs": [
                {
                    **{key: tensor[key] for key in ("name", "datatype", "shape")},
                    "parameters": {"binary_data_size": len(raw)},
                }
                for tensor, raw in zip(tensors, raws, strict=True)
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    message = service_pb2.ModelInferRequest(model_name="m", id="7", raw_input_contents=raws)
    typed = service_pb2.ModelInferRequest(model_name="m")
    for tensor in tensors:
        described = {key: tensor[key] for key in ("name", "datatype", "shape")}
        message.inputs.add(**described)
        typed.inputs.add(**described)
    typed.inputs[0].contents.fp32_contents.extend([1, 2])
    typed.inputs[1].contents.bytes_contents.extend([b"a", b"b"])
    typed.inputs[2].contents.int64_contents.extend([1, 2])
    binary = {"Inference-Header-Content-Length": str(len(head))}
    return [
        ("v2 JSON", "/v2/models/m/infer", {}, json.dumps({"inputs": tensors}).encode()),
        ("v2 binary", "/v2/models/m/infer", binary, head + b"".join(raws)),
        ("v2 rows", "/v2/models/m/predict", {}, json.dumps({"instances": rows}).encode()),
        ("v2 feedback", "/v2/models/m/feedback", {}, FEEDBACK),
        ("v1 rows", "/v1/models/m:predict", {}, json.dumps({"instances": rows}).encode()),
        ("v1 columns", "/v1/models/m:predict", {}, b'{"inputs":{"x":[1],"t":["a"],"n":[1]}}'),
        ("v1 classify", "/v1/models/m:classify", {}, json.dumps({"examples": rows}).encode()),
        ("gRPC raw", f"{GRPC}ModelInfer", {}, message.SerializeToString()),
        ("gRPC typed", f"{GRPC}ModelInfer", {}, typed.SerializeToString()),
        ("gRPC metadata", f"{GRPC}ModelMetadata", {}, b"\n\x01m"),
        ("gRPC Predict", f"{TFS}Predict", {}, PREDICT),
    ]


FEEDBACK = b'{"feedback":[{"prediction_id":"znAIY-mUAaINQzD-6_w10vAAABF9ex-P","label":0}]}'
PREDICT = (
    b"\n\x03\n\x01m\x12\x15\n\x01x\x12\x10\x08\x01\x12\x04\x12\x02\x08\x01*\x04\x00\x00\x80?:\x00"
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Apply one to four small mutations, and sometimes none."""
    body = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        place = chance.randrange(len(body) + 1)
        match chance.randrange(7):
            case 0:
                body[place:] = b""
            case 1 if place < len(body):
                body[place] ^= 1 << chance.randrange(8)
            case 2:
                body[place:place] = chance.randbytes(chance.randrange(1, 9))
            case 3:
                body[place : place + chance.randrange(9)] = b""
            case 4:
                body[place:place] = body[place : place + chance.randrange(64)]
            case 5:
                body[place : place + chance.randrange(4)] = chance.choice(INTERESTING)
            case 6:
                body[place:place] = body[place : place + 1] * chance.randrange(2000)
        if not body:
            break
    return bytes(body)


_local = threading.local()


def ask_http(port: int, path: str, headers: dict[str, str], body: bytes) -> str:
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        _local.connection = None
        return "closed"
    return str(answer.status)


def ask_grpc(channel: grpc.Channel, path: str, message: bytes) -> str:
    try:
        channel.unary_unary(path)(message, timeout=30)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


def start(path: Path) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "perennial_runtime", "serve", str(path), "--name", "m"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--http-port", "0", "--log-format", "json"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    port = 0
    for line in process.stderr:
        said = json.loads(line)
        port = said.get("port", port)
        if said["message"] == "ready":
            break
    threading.Thread(target=_pass_on, args=(process,), daemon=True).start()
    return process, port


def _pass_on(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if json.loads(line)["level"] == "error":
            print(line, end="", file=sys.stderr)


def resident(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
