"""The server from a client's view: every route, every status."""

import gzip
import json
import socket
import threading
import zlib

import pytest
from onnx import TensorProto

from perennial_contracts.wire.digest import digest_of

LIMIT = 10_000


@pytest.fixture(scope="module")
def server(start, affine, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.onnx"
    path.write_bytes(affine)
    return start(path, "--name", "double", "--max-body-bytes", str(LIMIT))


def infer_request(data=(1.0, 2.0), shape=(1, 2), **more):
    tensor = {"name": "X", "datatype": "FP32", "shape": list(shape), "data": data}
    return {"inputs": [tensor], **more}


INFER = "/v2/models/double/infer"


def test_health_and_readiness(server):
    for path in ("/v2/health/live", "/v2/health/ready"):
        status, body, headers = server.request("GET", path)
        assert (status, body) == (200, {"live": True, "ready": True})
        assert headers["content-type"] == "application/json"
    assert server.request("GET", "/v2/models/double/ready")[:2] == (
        200,
        {"name": "double", "ready": True},
    )


def test_metadata(server, affine):
    assert server.request("GET", "/v2")[1]["name"] == "perennial-runtime"
    status, body, _ = server.request("GET", "/v2/models/double")
    assert status == 200
    digest = digest_of(affine)
    assert body == {
        "name": "double",
        "versions": [digest[7:19]],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "X", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "Y", "datatype": "FP32", "shape": [-1, 2]}],
        "properties": {
            "digest": digest,
            "execution_provider": "CPUExecutionProvider",
            "threads": "1",
        },
    }


def test_the_version_is_1_or_the_first_digits_of_the_digest(server, affine):
    for version in ("1", digest_of(affine)[7:19]):
        prefix = f"/v2/models/double/versions/{version}"
        assert server.request("GET", prefix)[0] == 200
        assert server.request("GET", f"{prefix}/ready")[0] == 200
        assert server.request("POST", f"{prefix}/infer", infer_request())[0] == 200
    status, body, _ = server.request("GET", "/v2/models/double/versions/2")
    assert status == 404
    assert "got '2'" in body["error"]


def test_inference_echoes_the_id(server, affine):
    status, body, _ = server.request("POST", INFER, infer_request(id="7"))
    assert status == 200
    assert body == {
        "model_name": "double",
        "model_version": digest_of(affine)[7:19],
        "id": "7",
        "outputs": [{"name": "Y", "datatype": "FP32", "shape": [1, 2], "data": [3.0, 5.0]}],
    }


def test_inference_accepts_nested_data_and_an_empty_batch(server):
    nested = infer_request([[0, 1], [2, 3]], (2, 2))
    assert server.request("POST", INFER, nested)[1]["outputs"][0]["data"] == [1, 3, 5, 7]
    status, body, _ = server.request("POST", INFER, infer_request([], (0, 2)))
    assert status == 200
    assert body["outputs"][0]["shape"] == [0, 2]
    assert body["outputs"][0]["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "status", "word"),
    [
        ("GET", "/v2/models/other", 404, "expected 'double', got 'other'"),
        ("POST", "/v2/models/other/infer", 404, "expected 'double', got 'other'"),
        ("GET", "/v3", 404, "nothing is served at /v3"),
        ("GET", INFER, 405, "method: expected POST, got GET"),
        ("POST", "/v2", 405, "method: expected GET, got POST"),
        ("DELETE", "/metrics", 405, "method: expected GET, got DELETE"),
    ],
)
def test_a_request_without_a_route_reports_the_reason(server, method, path, status, word):
    code, body, headers = server.request(method, path)
    assert code == status
    assert word in body["error"]
    assert ("allow" in headers) == (status == 405)


def test_an_invalid_input_is_named_and_never_a_server_error(server):
    status, body, _ = server.request("POST", INFER, infer_request(["a", "b"]))
    assert (status, body) == (
        400,
        {"error": "input 'X': data: element 0: expected a number, got \"a\""},
    )
    for text in ("", "{", "null", '{"inputs": 1}', "\udcff"):
        assert server.request("POST", INFER, text.encode("utf8", "surrogateescape"))[0] == 400


def test_a_body_over_the_limit_is_rejected_before_and_while_it_is_read(server):
    large = json.dumps(infer_request([0.0] * LIMIT, (LIMIT // 2, 2)))
    status, body, headers = server.request("POST", INFER, large)
    assert status == 413
    assert f"expected at most {LIMIT} bytes" in body["error"]
    assert headers["connection"] == "close"
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"%x\r\n%s\r\n" % (LIMIT + 1, b" " * (LIMIT + 1))
        connection.sendall(head.encode() + chunk)
        assert connection.recv(20).startswith(b"HTTP/1.1 413")


def test_a_chunked_body_is_read(server):
    connection = server.connect()
    pieces = iter(
        [json.dumps(infer_request()).encode()[:30], json.dumps(infer_request()).encode()[30:]]
    )
    connection.request("POST", INFER, pieces, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_is_read(server, encoding):
    data = json.dumps(infer_request()).encode()
    packed = gzip.compress(data) if encoding == "gzip" else zlib.compress(data)
    status, body, _ = server.request("POST", INFER, packed, content_encoding=encoding)
    assert (status, body["outputs"][0]["data"]) == (200, [3.0, 5.0])


def test_an_invalid_compression_is_reported(server):
    status, body, _ = server.request("POST", INFER, b"x", content_encoding="br")
    assert (status, body["error"]) == (
        415,
        "content-encoding: expected gzip, deflate or identity, got br",
    )
    status, body, _ = server.request("POST", INFER, b"no gzip", content_encoding="gzip")
    assert status == 400
    assert "expected gzip data" in body["error"]
    whole = gzip.compress(json.dumps(infer_request()).encode())
    status, body, _ = server.request("POST", INFER, whole[:-9], content_encoding="gzip")
    assert (status, body["error"]) == (400, "body: the gzip data ends early")


def test_the_limit_applies_to_the_decompressed_body(server):
    bomb = gzip.compress(b" " * (LIMIT + 1))
    assert len(bomb) < LIMIT // 10
    status, body, _ = server.request("POST", INFER, bomb, content_encoding="gzip")
    assert status == 413
    assert f"expected at most {LIMIT} bytes" in body["error"]


def test_a_long_response_is_compressed_if_the_client_accepts_it(start, affine, tmp_path):
    (tmp_path / "m.onnx").write_bytes(affine)
    server = start(tmp_path / "m.onnx", "--name", "double")
    request = json.dumps(infer_request([1.0, 2.0] * 4000, (4000, 2)))
    plain = _ask(server, request)
    assert "content-encoding" not in plain[1]
    for encoding, unpack in (("gzip", gzip.decompress), ("deflate", zlib.decompress)):
        data, headers = _ask(server, request, {"Accept-Encoding": f"br, {encoding};q=0.5"})
        assert headers["content-encoding"] == encoding
        assert unpack(data) == plain[0]
    assert "content-encoding" not in _ask(server, request, {"Accept-Encoding": "gzip;q=0"})[1]


def _ask(server, body, headers=None):
    connection = server.connect()
    connection.request("POST", INFER, body, headers or {})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return data, response.headers


def test_a_client_that_disconnects_is_no_error(server):
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(
            f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode()
        )
    assert server.request("POST", INFER, infer_request())[0] == 200
    assert not [line for line in server.lines if line.get("level") == "error"]


def test_metrics_count_by_route_and_code(start, affine, tmp_path):
    (tmp_path / "m.onnx").write_bytes(affine)
    server = start(tmp_path / "m.onnx", "--name", "double")
    for _ in range(3):
        server.request("POST", INFER, infer_request())
    server.request("POST", INFER, b"{")
    server.request("GET", "/favicon.ico")
    status, text, headers = server.request("GET", "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = text.splitlines()
    assert 'perennial_runtime_requests_total{code="200",protocol="v2",route="infer"} 3.0' in lines
    assert 'perennial_runtime_requests_total{code="400",protocol="v2",route="infer"} 1.0' in lines
    assert 'perennial_runtime_requests_total{code="404",protocol="http",route="other"} 1.0' in lines
    assert (
        'perennial_runtime_request_seconds_count{code="200",protocol="v2",route="infer"} 3.0'
        in lines
    )
    assert "perennial_runtime_requests_in_flight 1.0" in lines
    assert "perennial_runtime_run_seconds_count 3.0" in lines
    assert "perennial_runtime_queue_seconds_count 3.0" in lines
    assert 'perennial_runtime_batch_requests_bucket{le="1.0"} 3.0' in lines
    assert f'digest="{digest_of(affine)}"' in text
    assert "process_resident_memory_bytes" in text


def test_the_root_is_a_page_for_browsers_and_a_status_for_others(server):
    status, text, headers = server.request("GET", "/", accept="text/html,*/*;q=0.8")
    assert status == 200
    assert "<h1>double</h1>" in text
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert server.request("GET", "/")[:2] == (200, {"status": "alive"})


TYPES = {
    "BOOL": (TensorProto.BOOL, [True, False]),
    "UINT8": (TensorProto.UINT8, [0, 255]),
    "UINT16": (TensorProto.UINT16, [0, 65535]),
    "UINT32": (TensorProto.UINT32, [0, 2**32 - 1]),
    "UINT64": (TensorProto.UINT64, [0, 2**64 - 1]),
    "INT8": (TensorProto.INT8, [-128, 127]),
    "INT16": (TensorProto.INT16, [-(2**15), 2**15 - 1]),
    "INT32": (TensorProto.INT32, [-(2**31), 2**31 - 1]),
    "INT64": (TensorProto.INT64, [-(2**63), 2**63 - 1]),
    "FP16": (TensorProto.FLOAT16, [0.5, None]),
    "FP32": (TensorProto.FLOAT, [0.1, None]),
    "FP64": (TensorProto.DOUBLE, [1e300, 0.1]),
    "BYTES": (TensorProto.STRING, ["", "naïve 🌳"]),
}


def test_every_datatype_is_read_and_written(start, identity, tmp_path):
    model = identity(**{name: (proto, ["N"]) for name, (proto, _) in TYPES.items()})
    (tmp_path / "all.onnx").write_bytes(model)
    server = start(tmp_path / "all.onnx")
    inputs = [
        {"name": name, "datatype": name, "shape": [2], "data": data}
        for name, (_, data) in TYPES.items()
    ]
    status, body, _ = server.request("POST", "/v2/models/all/infer", {"inputs": inputs})
    assert status == 200, body
    for output in body["outputs"]:
        name = output["name"].removesuffix("_out")
        assert output["datatype"] == name
        assert output["data"] == TYPES[name][1]


def test_a_pipeline_with_a_column_of_strings_is_served(start, tmp_path):
    # skl2onnx converts it to a model with an input of shape [None, 1] for each column.
    import pandas as pd
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = pd.DataFrame({"distance": [1.0, 2.0, 3.0, 4.0], "carrier": ["AA", "BB", "AA", "BB"]})
    columns = ColumnTransformer([("c", OneHotEncoder(), ["carrier"])], remainder="passthrough")
    pipeline = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1, 0, 1])
    types = [
        ("distance", FloatTensorType([None, 1])),
        ("carrier", StringTensorType([None, 1])),
    ]
    model = to_onnx(
        pipeline, initial_types=types, options={"zipmap": False}, target_opset=17
    ).SerializeToString()
    (tmp_path / "delays.onnx").write_bytes(model)
    server = start(tmp_path / "delays.onnx")
    request = {
        "inputs": [
            {"name": "distance", "datatype": "FP32", "shape": [2, 1], "data": [1.5, 2.5]},
            {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": [["AA"], ["BB"]]},
        ]
    }
    status, body, _ = server.request("POST", "/v2/models/delays/infer", request)
    assert status == 200, body
    outputs = {output["name"]: output for output in body["outputs"]}
    assert (
        outputs["label"]["data"]
        == pipeline.predict(
            pd.DataFrame({"distance": [1.5, 2.5], "carrier": ["AA", "BB"]})
        ).tolist()
    )
    assert outputs["probabilities"]["shape"] == [2, 2]


def test_wrong_inner_dimensions_are_a_bad_request(start, tmp_path, identity):
    from onnx import helper

    a = helper.make_tensor_value_info("A", TensorProto.FLOAT, ["N", "M"])
    b = helper.make_tensor_value_info("B", TensorProto.FLOAT, ["K", "L"])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", "L"])
    graph = helper.make_graph([helper.make_node("MatMul", ["A", "B"], ["Y"])], "g", [a, b], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "product.onnx").write_bytes(model.SerializeToString())
    server = start(tmp_path / "product.onnx")
    request = {
        "inputs": [
            {"name": "A", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]},
            {"name": "B", "datatype": "FP32", "shape": [3, 1], "data": [1, 2, 3]},
        ]
    }
    status, body, _ = server.request("POST", "/v2/models/product/infer", request)
    assert status == 400
    assert "the model rejects these inputs" in body["error"]


def test_probes_get_a_response_while_a_slow_model_runs(start, slow, tmp_path):
    (tmp_path / "slow.onnx").write_bytes(slow)
    server = start(tmp_path / "slow.onnx", "--threads", "1")
    rows = 2000
    request = {
        "inputs": [
            {"name": "X", "datatype": "FP32", "shape": [rows, 600], "data": [0.5] * rows * 600}
        ]
    }
    done = threading.Event()
    statuses: list[int] = []

    def ask():
        statuses.append(server.request("POST", "/v2/models/slow/infer", request)[0])
        done.set()

    thread = threading.Thread(target=ask)
    thread.start()
    probes = 0
    while not done.is_set():
        assert server.request("GET", "/v2/health/live")[0] == 200
        probes += 1
    thread.join()
    assert statuses == [200]
    assert probes > 3
