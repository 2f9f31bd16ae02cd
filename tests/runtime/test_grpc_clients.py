"""The clients that people have, over real connections, against nothing but the codecs."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from support.clients import imported

from perennial_runtime.errors import RequestError
from perennial_runtime.protocol.grpc import answers, health, reflection
from perennial_runtime.protocol.grpc.codec import GrpcCodec
from perennial_runtime.protocol.grpc.status import status_of
from perennial_runtime.protocol.statistics import Duration, Statistics
from perennial_runtime.signature import TensorSpec

triton = imported("tritonclient.grpc")
health_pb2 = imported("grpc_health.v1.health_pb2")
health_pb2_grpc = imported("grpc_health.v1.health_pb2_grpc")
reflection_pb2_grpc = imported("grpc_reflection.v1alpha.reflection_pb2_grpc")
reflection_pb2 = imported("grpc_reflection.v1alpha.reflection_pb2")
kserve = imported("kserve")
kserve_grpc = imported("kserve.protocol.grpc.grpc_predict_v2_pb2_grpc")

X = TensorSpec("X", "FP32", (-1, 2))
Y = TensorSpec("Y", "FP32", (-1, 2))
ROWS = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
STATISTICS = Statistics(inference_count=3, execution_count=2, success=Duration(2, 20))


class Handlers(grpc.GenericRpcHandler):
    """Bytes in, bytes out, for a model that doubles."""

    def __init__(self):
        self.codec = GrpcCodec("m", "abc", [X], [Y], {"Y": ["no", "yes"]})
        self.unary = {
            "/inference.GRPCInferenceService/ServerLive": lambda m: answers.server_live(True),
            "/inference.GRPCInferenceService/ServerReady": lambda m: answers.server_ready(True),
            "/inference.GRPCInferenceService/ModelReady": lambda m: answers.model_ready(
                m, "m", "abc", True
            ),
            "/inference.GRPCInferenceService/ServerMetadata": lambda m: answers.server_metadata(
                "perennial-runtime", "0", []
            ),
            "/inference.GRPCInferenceService/ModelMetadata": lambda m: answers.model_metadata(
                m, "m", "abc", "onnxruntime_onnx", [X], [Y], {}
            ),
            "/inference.GRPCInferenceService/ModelStatistics": lambda m: answers.model_statistics(
                m, "m", "abc", STATISTICS
            ),
            "/inference.GRPCInferenceService/RepositoryIndex": lambda m: answers.repository_index(
                m, "m", "abc", True
            ),
            "/inference.GRPCInferenceService/ModelInfer": self.infer,
            "/grpc.health.v1.Health/Check": lambda m: health.check(m, True),
        }
        self.streams = {
            "/inference.GRPCInferenceService/ModelStreamInfer": self.stream_infer,
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": reflection.reflect,
        }

    def infer(self, message: bytes) -> bytes:
        request = self.codec.decode(message)
        return self.codec.encode(request, [request.feeds["X"] * 2])

    def stream_infer(self, message: bytes) -> bytes:
        try:
            return answers.stream_answer(self.infer(message))
        except RequestError as error:
            return answers.stream_error(str(error))

    def service(self, details):
        method = details.method
        if method in self.unary:
            return grpc.unary_unary_rpc_method_handler(lambda m, c: told(self.unary[method], m, c))
        answer = self.streams[method]
        return grpc.stream_stream_rpc_method_handler(lambda ms, c: (told(answer, m, c) for m in ms))


def told(answer, message, context):
    try:
        return answer(message)
    except RequestError as error:
        code, _ = status_of(error)
        codes = {known.value[0]: known for known in grpc.StatusCode}
        context.abort(codes[code], str(error))


@pytest.fixture(scope="module")
def address():
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_tritonclient(address):
    with triton.InferenceServerClient(address) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("m")
        assert client.is_model_ready("m", "1")
        assert not client.is_model_ready("other")
        assert client.get_server_metadata().name == "perennial-runtime"
        assert list(client.get_model_metadata("m").inputs[0].shape) == [-1, 2]
        assert client.get_model_repository_index().models[0].state == "READY"
        (statistics,) = client.get_inference_statistics("m").model_stats
        assert statistics.inference_count == 3
        tensor = triton.InferInput("X", [2, 2], "FP32")
        tensor.set_data_from_numpy(ROWS)
        for place in range(4):
            result = client.infer("m", [tensor], request_id=str(place))
            np.testing.assert_array_equal(result.as_numpy("Y"), 2 * ROWS)
            assert result.get_response().id == str(place)
        top = triton.InferRequestedOutput("Y", class_count=1)
        result = client.infer("m", [tensor], outputs=[top])
        assert result.as_numpy("Y").tolist() == [[b"4.000000:1:yes"], [b"8.000000:1:yes"]]
        with pytest.raises(triton.InferenceServerException, match="model: expected 'm'") as caught:
            client.infer("other", [tensor])
        assert caught.value.status() == "StatusCode.NOT_FOUND"
        wrong = triton.InferInput("Z", [2, 2], "FP32")
        wrong.set_data_from_numpy(ROWS)
        with pytest.raises(triton.InferenceServerException, match="named 'X'") as caught:
            client.infer("m", [wrong])
        assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_tritonclients_stream(address):
    from queue import Queue

    arrived: Queue = Queue()
    tensor = triton.InferInput("X", [2, 2], "FP32")
    tensor.set_data_from_numpy(ROWS)
    wrong = triton.InferInput("Z", [2, 2], "FP32")
    wrong.set_data_from_numpy(ROWS)
    with triton.InferenceServerClient(address) as client:
        client.start_stream(lambda result, error: arrived.put((result, error)))
        for sent in (tensor, wrong, tensor):
            client.async_stream_infer("m", [sent])
        answers_ = [arrived.get(timeout=30) for _ in range(3)]
        client.stop_stream()
    assert [error is None for _, error in answers_] == [True, False, True]
    assert "named 'X'" in str(answers_[1][1])
    np.testing.assert_array_equal(answers_[2][0].as_numpy("Y"), 2 * ROWS)


@pytest.mark.parametrize("raw", [True, False])
def test_kserves_requests(address, raw):
    tensor = kserve.InferInput("X", [2, 2], "FP32", data=None if raw else ROWS.ravel().tolist())
    if raw:
        tensor.set_data_from_numpy(ROWS)
    request = kserve.InferRequest(model_name="m", infer_inputs=[tensor], request_id="7").to_grpc()
    assert bool(request.raw_input_contents) is raw
    with grpc.insecure_channel(address) as channel:
        answer = kserve_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
    response = kserve.InferResponse.from_grpc(answer)
    assert response.id == "7"
    np.testing.assert_array_equal(response.outputs[0].as_numpy(), 2 * ROWS)


def test_health_and_reflection(address):
    with grpc.insecure_channel(address) as channel:
        serving = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert serving.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([asked]))
        assert len(answer.list_services_response.service) == 4
