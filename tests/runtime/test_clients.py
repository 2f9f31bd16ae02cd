"""Existing clients: tritonclient, KServe's, open-inference's, gRPC's own."""

import asyncio
from functools import partial

import grpc
import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import TensorProto
from support.clients import imported

from perennial_runtime.signature import DTYPES

triton_grpc = imported("tritonclient.grpc")
triton_grpc_aio = imported("tritonclient.grpc.aio")
kserve = imported("kserve")
open_inference = imported("open_inference.grpc.protocol")
open_inference_service = imported("open_inference.grpc.service")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROWS = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
PROTOS = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


@pytest.fixture(scope="module")
def server(start, affine, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "double.onnx"
    path.write_bytes(affine)
    return start(path, "--grpc-port", "0")


@pytest.fixture(scope="module")
def grpc_url(server):
    return f"127.0.0.1:{server.wait_for('live')['grpc_port']}"


@pytest.fixture(scope="module")
def mirror(start, identity, tmp_path_factory):
    """A model that returns a tensor of every datatype, of two free dimensions."""
    path = tmp_path_factory.mktemp("model") / "mirror.onnx"
    path.write_bytes(identity(**{name: (proto, ["N", "M"]) for name, proto in PROTOS.items()}))
    return start(path)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_tritonclient_over_http(server, binary, compression):
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("double")
        assert client.is_model_ready("double", "1")
        assert not client.is_model_ready("other")
        assert client.get_server_metadata()["name"] == "perennial-runtime"
        assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
        assert client.get_model_metadata("double")["inputs"][0]["shape"] == [-1, 2]
        tensor = triton.InferInput("X", [2, 2], "FP32")
        tensor.set_data_from_numpy(ROWS, binary_data=binary)
        output = triton.InferRequestedOutput("Y", binary_data=binary)
        result = client.infer(
            "double",
            [tensor],
            outputs=[output],
            request_id="9",
            request_compression_algorithm=compression,
            response_compression_algorithm=compression,
        )
        np.testing.assert_allclose(result.as_numpy("Y"), 2 * ROWS + 1)
        assert result.get_response()["id"] == "9"


def test_tritonclient_over_http_with_its_defaults(server):
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        tensor = triton.InferInput("X", [2, 2], "FP32")
        tensor.set_data_from_numpy(ROWS)
        np.testing.assert_allclose(client.infer("double", [tensor]).as_numpy("Y"), 2 * ROWS + 1)
        tensor.set_shape([4, 1])
        with pytest.raises(triton.InferenceServerException, match="input 'X': shape"):
            client.infer("double", [tensor])


def test_tritonclient_over_http_with_asyncio(server):
    async def ask():
        async with triton_aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            tensor = triton_aio.InferInput("X", [2, 2], "FP32")
            tensor.set_data_from_numpy(ROWS)
            return (await client.infer("double", [tensor])).as_numpy("Y")

    np.testing.assert_allclose(asyncio.run(ask()), 2 * ROWS + 1)


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_tritonclient_over_grpc(server, grpc_url, compression):
    with triton_grpc.InferenceServerClient(grpc_url) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("double")
        assert not client.is_model_ready("other")
        assert client.get_server_metadata().name == "perennial-runtime"
        assert list(client.get_model_metadata("double").inputs[0].shape) == [-1, 2]
        tensor = triton_grpc.InferInput("X", [2, 2], "FP32")
        tensor.set_data_from_numpy(ROWS)
        result = client.infer("double", [tensor], request_id="9", compression_algorithm=compression)
        np.testing.assert_allclose(result.as_numpy("Y"), 2 * ROWS + 1)
        assert result.get_response().id == "9"
        statistics = client.get_inference_statistics("double").model_stats[0]
        assert statistics.execution_count >= 1
        assert client.get_model_repository_index().models[0].state == "READY"


def test_errors_reach_grpc_clients_as_status_codes(grpc_url):
    with triton_grpc.InferenceServerClient(grpc_url) as client:
        tensor = triton_grpc.InferInput("X", [1, 3], "FP32")
        tensor.set_data_from_numpy(np.zeros((1, 3), np.float32))
        with pytest.raises(triton_grpc.InferenceServerException, match="input 'X': shape") as wrong:
            client.infer("double", [tensor])
        assert wrong.value.status() == "StatusCode.INVALID_ARGUMENT"
        with pytest.raises(triton_grpc.InferenceServerException, match="'other'") as absent:
            client.infer("other", [tensor])
        assert absent.value.status() == "StatusCode.NOT_FOUND"
        with pytest.raises(triton_grpc.InferenceServerException) as unknown:
            client.get_trace_settings()
        assert unknown.value.status() == "StatusCode.UNIMPLEMENTED"


def test_tritonclient_over_grpc_with_asyncio_and_a_stream(grpc_url):
    def tensors(values):
        tensor = triton_grpc_aio.InferInput("X", list(values.shape), "FP32")
        tensor.set_data_from_numpy(values)
        return {"model_name": "double", "inputs": [tensor]}

    async def requests():
        yield tensors(ROWS)
        yield tensors(np.zeros((1, 3), np.float32))  # does not fit, and the stream goes on
        yield tensors(ROWS + 1)

    async def ask():
        async with triton_grpc_aio.InferenceServerClient(grpc_url) as client:
            one = await client.infer(**tensors(ROWS))
            return one, [pair async for pair in client.stream_infer(requests())]

    one, (first, second, third) = asyncio.run(ask())
    np.testing.assert_allclose(one.as_numpy("Y"), 2 * ROWS + 1)
    np.testing.assert_allclose(first[0].as_numpy("Y"), 2 * ROWS + 1)
    assert "input 'X': shape" in str(second[1])
    np.testing.assert_allclose(third[0].as_numpy("Y"), 2 * ROWS + 3)


def test_open_inferences_client(grpc_url):
    messages = open_inference
    with grpc.insecure_channel(grpc_url) as channel:
        stub = open_inference_service.GRPCInferenceServiceStub(channel)
        metadata = stub.ModelMetadata(messages.ModelMetadataRequest(name="double"))
        assert metadata.outputs[0].name == "Y"
        tensor = messages.ModelInferRequest.InferInputTensor(
            name="X", datatype="FP32", shape=[1, 2]
        )
        tensor.contents.fp32_contents.extend([1.0, 2.0])
        answer = stub.ModelInfer(messages.ModelInferRequest(model_name="double", inputs=[tensor]))
        assert np.frombuffer(answer.raw_output_contents[0], np.float32).tolist() == [3.0, 5.0]


def test_kserves_grpc_client(grpc_url):
    async def ask():
        client = kserve.InferenceGRPCClient(grpc_url)
        try:
            assert await client.is_server_ready()
            assert await client.is_model_ready("double")
            tensor = kserve.InferInput("X", [2, 2], "FP32")
            tensor.set_data_from_numpy(ROWS, binary_data=True)
            return await client.infer(kserve.InferRequest("double", [tensor]))
        finally:
            await client.close()

    np.testing.assert_allclose(asyncio.run(ask()).outputs[0].as_numpy(), 2 * ROWS + 1)


@pytest.mark.parametrize("binary", [False, True])
def test_kserves_rest_client(server, binary):
    async def ask():
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2", timeout=30))
        url = f"http://127.0.0.1:{server.port}"
        try:
            assert await client.is_server_live(url)
            assert await client.is_server_ready(url)
            assert await client.is_model_ready(url, "double")
            tensor = kserve.InferInput("X", [2, 2], "FP32")
            tensor.set_data_from_numpy(ROWS, binary_data=binary)
            request = kserve.InferRequest(
                model_name="double", infer_inputs=[tensor], request_id="8"
            )
            return await client.infer(url, request, model_name="double")
        finally:
            await client.close()

    response = asyncio.run(ask())
    assert response.id == "8"
    assert response.outputs[0].name == "Y"
    np.testing.assert_allclose(response.outputs[0].as_numpy().reshape(2, 2), 2 * ROWS + 1)


def test_grpcs_health_and_reflection(server, grpc_url):
    with grpc.insecure_channel(grpc_url) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        serving = health_pb2.HealthCheckResponse.SERVING
        for service in ("", "inference.GRPCInferenceService"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == serving
        with pytest.raises(grpc.RpcError) as unknown:
            health.Check(health_pb2.HealthCheckRequest(service="strange"))
        assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "inference.GRPCInferenceService" in database.get_services()
        file = database.FindFileContainingSymbol("inference.GRPCInferenceService")
        assert file.package == "inference"
        file = database.FindFileContainingSymbol("tensorflow.serving.PredictionService")
        assert file.package == "tensorflow.serving"


def _tensors(datatype):
    dtype = DTYPES[datatype]
    shape = arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=3)
    if datatype == "BYTES":
        text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
        return arrays.arrays(object, shape, elements=text.map(str.encode))
    return arrays.arrays(dtype, shape)


@st.composite
def everything(draw):
    """Return a tensor of every datatype."""
    return {name: draw(_tensors(name)) for name in PROTOS}


def _inputs(library, values, **how):
    for name, array in values.items():
        tensor = library.InferInput(name, list(array.shape), name)
        tensor.set_data_from_numpy(array, **how)
        yield tensor


def _check(values, result):
    for name, array in values.items():
        found = result.as_numpy(f"{name}_out")
        assert found.shape == array.shape
        np.testing.assert_array_equal(found, array)


quickly = partial(settings, deadline=None, suppress_health_check=list(HealthCheck))


@quickly(max_examples=60)
@given(values=everything())
def test_every_datatype_round_trips_over_http(mirror, values):
    with triton.InferenceServerClient(f"127.0.0.1:{mirror.port}") as client:
        inputs = list(_inputs(triton, values, binary_data=True))
        _check(values, client.infer("mirror", inputs))


@quickly(max_examples=60)
@given(values=everything())
def test_every_datatype_round_trips_over_grpc(mirror, values):
    with triton_grpc.InferenceServerClient(f"127.0.0.1:{mirror.port}") as client:
        _check(values, client.infer("mirror", list(_inputs(triton_grpc, values))))
