"""TensorFlow Serving's REST and gRPC against the real server; KServe's v1 clients."""

import asyncio
import threading

import grpc
import numpy as np
import pytest
from onnx import TensorProto
from support.clients import imported

from perennial_runtime.protocol.shared.protobuf import to_bytes
from perennial_runtime.protocol.tfs_grpc.schema import message_class

kserve = imported("kserve")
PREDICTION = "/tensorflow.serving.PredictionService"
ROW = {"amount": 1.5, "carrier": "AA", "seats": 100, "weekend": True}


@pytest.fixture(scope="module")
def server(start, affine, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "double.onnx"
    path.write_bytes(affine)
    return start(path)


@pytest.fixture(scope="module")
def table(start, flights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    for name, data in flights(classes=["no", "yes"]).items():
        (folder / name).write_bytes(data)
    return start(folder, "--name", "delays")


def test_rows_and_columns_are_predicted(server):
    for path in ("/v1/models/double:predict", "/v1/models/double/versions/1:predict"):
        answer = server.request("POST", path, {"instances": [[1.0, 2.0], [3.0, 4.0]]})
        assert answer[:2] == (200, {"predictions": [[3.0, 5.0], [7.0, 9.0]]})
        answer = server.request("POST", path, {"inputs": [[1.0, 2.0]]})
        assert answer[:2] == (200, {"outputs": [[3.0, 5.0]]})


def test_the_status_of_a_loaded_model_is_available(server):
    assert server.request("GET", "/v1/models")[:2] == (200, {"models": ["double"]})
    status, body, _ = server.request("GET", "/v1/models/double")
    assert (status, body["name"], body["ready"]) == (200, "double", True)
    assert body["model_version_status"][0]["state"] == "AVAILABLE"
    status, body, _ = server.request("GET", "/v1/models/double/metadata")
    assert status == 200
    assert "signature_def" in body["metadata"]


def test_an_invalid_request_reports_the_problem(server):
    status, body, _ = server.request("POST", "/v1/models/double:predict", {"instances": [[1.0]]})
    assert status == 400
    assert "error" in body
    status, body, _ = server.request("POST", "/v1/models/other:predict", {"instances": []})
    assert (status, body["error"]) == (404, "model: expected 'double', got 'other'")
    assert server.request("POST", "/v1/models/double:classify", {"examples": [{}]})[0] == 400


def test_a_table_is_predicted_and_classified(table):
    path = "/v1/models/delays"
    status, body, _ = table.request("POST", f"{path}:predict", {"instances": [ROW]})
    assert status == 200
    assert body["predictions"][0]["label"] == "yes"
    status, body, _ = table.request("POST", f"{path}:classify", {"examples": [ROW, ROW]})
    assert status == 200
    assert {label for label, _ in body["results"][0]} == {"no", "yes"}
    counters = table.request("GET", "/v2/models/delays/counters")[1]
    assert counters["rows"] == 3
    assert sum(counters["label"]) == 3


def test_kserves_v1_client(server):
    async def ask():
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v1", timeout=30))
        url = f"http://127.0.0.1:{server.port}"
        try:
            assert await client.is_model_ready(url, "double")
            return await client.infer(url, {"instances": [[1.0, 2.0]]}, model_name="double")
        finally:
            await client.close()

    assert asyncio.run(ask()) == {"predictions": [[3.0, 5.0]]}


def test_grpcs_predict_status_and_metadata(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:

        def ask(path, request, answer):
            data = channel.unary_unary(path)(to_bytes(request))
            return message_class(f"tensorflow.serving.{answer}").FromString(data)

        request = message_class("tensorflow.serving.PredictRequest")()
        request.model_spec.name = "double"
        tensor = request.inputs["X"]
        tensor.dtype = 1
        for size in (1, 2):
            tensor.tensor_shape.dim.add(size=size)
        tensor.tensor_content = np.array([1.0, 2.0], np.float32).tobytes()
        answer = ask(f"{PREDICTION}/Predict", request, "PredictResponse")
        assert list(answer.outputs["Y"].float_val) == [3.0, 5.0]
        request.model_spec.name = "other"
        with pytest.raises(grpc.RpcError) as error:
            ask(f"{PREDICTION}/Predict", request, "PredictResponse")
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        request = message_class("tensorflow.serving.GetModelStatusRequest")()
        request.model_spec.name = "double"
        path = "/tensorflow.serving.ModelService/GetModelStatus"
        answer = ask(path, request, "GetModelStatusResponse")
        assert answer.model_version_status[0].state == 30  # AVAILABLE
        request = message_class("tensorflow.serving.GetModelMetadataRequest")()
        request.model_spec.name = "double"
        request.metadata_field.append("signature_def")
        answer = ask(f"{PREDICTION}/GetModelMetadata", request, "GetModelMetadataResponse")
        assert "signature_def" in answer.metadata


def test_a_loading_model_is_not_available(start, web, affine):
    release = threading.Event()

    def slowly(handler):
        release.wait(60)
        handler.reply(200, affine)

    web.files["/double.onnx"] = slowly
    server = start(f"{web.url}/double.onnx", wait=False)
    status, body, _ = server.request("GET", "/v1/models/double")
    assert (status, body["model_version_status"][0]["state"]) == (503, "LOADING")
    assert server.request("POST", "/v1/models/double:predict", {"instances": [[1, 2]]})[0] == 503
    release.set()
    server.wait_for("ready")
    assert server.request("GET", "/v1/models/double")[0] == 200


def test_rows_may_contain_numbers_of_every_kind(start, identity, tmp_path):
    kinds = {"A": TensorProto.INT64, "B": TensorProto.FLOAT16, "C": TensorProto.UINT8}
    (tmp_path / "kinds.onnx").write_bytes(identity(**{k: (v, ["N"]) for k, v in kinds.items()}))
    server = start(tmp_path / "kinds.onnx")
    row = {"A": 2**40, "B": 0.5, "C": 7}
    answer = server.request("POST", "/v1/models/kinds:predict", {"instances": [row, row]})
    expected = {f"{name}_out": value for name, value in row.items()}
    assert answer[:2] == (200, {"predictions": [expected, expected]})
