"""The gRPC services except ModelInfer, read with the messages of clients."""

import subprocess
import sys

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from hypothesis import given
from hypothesis import strategies as st
from support.clients import imported
from support.tensors import unhurried

from perennial_runtime.errors import (
    BadRequestError,
    NotFoundError,
    RequestError,
    RunFailedError,
    UnavailableError,
)
from perennial_runtime.protocol.grpc import compile_protos, health, reflection, status
from perennial_runtime.protocol.grpc import inference_service as inference
from perennial_runtime.protocol.grpc.inference_service import BatchStatistics, Duration, Statistics
from perennial_runtime.protocol.grpc.schema import POOL, SERVICES
from perennial_runtime.protocol.tfs_grpc.schema import SERVICES as TENSORFLOW_SERVICES
from perennial_runtime.signature import TensorSpec

triton = imported("tritonclient.grpc").service_pb2
open_inference = imported("open_inference.grpc.protocol")
kserve = imported("kserve.protocol.grpc.grpc_predict_v2_pb2")
health_pb2 = imported("grpc_health.v1.health_pb2")
reflection_pb2 = imported("grpc_reflection.v1alpha.reflection_pb2")

X = TensorSpec("X", "FP32", (-1, 2))
Y = TensorSpec("Y", "BYTES", ())


def test_the_descriptors_match_the_protos():
    assert compile_protos.stale() == []


def fields(descriptor):
    """Return number, type, label and oneof of each field, by path."""
    found = {}
    for field in descriptor.fields:
        inner = field.message_type.full_name if field.message_type else None
        oneof = field.containing_oneof.name if field.containing_oneof else None
        if oneof and oneof.startswith("_"):
            oneof = None  # proto3's optional: nothing of it is on the wire
        found[f"{descriptor.full_name}.{field.name}"] = (
            field.number,
            field.type,
            field.is_repeated,
            inner,
            oneof,
        )
    for nested in descriptor.nested_types:
        found |= fields(nested)
    return found


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (triton, "inference.proto"),
        (open_inference, "inference.proto"),
        (kserve, "inference.proto"),
        (health_pb2, "health.proto"),
        (reflection_pb2, "reflection_v1alpha.proto"),
    ],
    ids=["triton", "open-inference", "kserve", "health", "reflection"],
)
def test_names_and_numbers_match_the_clients(theirs, ours):
    file = POOL.FindFileByName(ours)
    common = set(file.message_types_by_name) & set(theirs.DESCRIPTOR.message_types_by_name)
    assert len(common) >= 2
    for name in common:
        mine = fields(file.message_types_by_name[name])
        expected = fields(theirs.DESCRIPTOR.message_types_by_name[name])
        both = mine.keys() & expected.keys()
        assert {path: mine[path] for path in both} == {path: expected[path] for path in both}
        # What only some know: Triton has no properties, KServe fewer kinds of parameters, and
        # nobody here counts memory or responses.
        if name not in ("ModelMetadataResponse", "InferParameter", "ModelStatistics"):
            assert mine.keys() == expected.keys()
    for service in file.services_by_name.values():
        for method in service.methods:
            expected = theirs.DESCRIPTOR.services_by_name[service.name].methods_by_name.get(
                method.name
            )
            if expected:
                assert (method.input_type.full_name, method.output_type.full_name) == (
                    expected.input_type.full_name,
                    expected.output_type.full_name,
                )
                assert (method.client_streaming, method.server_streaming) == (
                    expected.client_streaming,
                    expected.server_streaming,
                )


def test_reflection_v1_has_the_bytes_of_v1alpha():
    new, old = (
        {
            path.replace("v1alpha", "v1"): (*value[:3], value[4])
            for message in POOL.FindFileByName(name).message_types_by_name.values()
            for path, value in fields(message).items()
        }
        for name in ("reflection_v1.proto", "reflection_v1alpha.proto")
    )
    assert new == old


@pytest.mark.parametrize("state", [True, False])
def test_liveness_and_readiness(state):
    assert triton.ServerLiveResponse.FromString(inference.server_live(state)).live is state
    assert triton.ServerReadyResponse.FromString(inference.server_ready(state)).ready is state
    for name, version, expected in [
        ("m", "", state),
        ("m", "1", state),
        ("m", "abc", state),
        ("m", "2", False),
        ("n", "", False),
    ]:
        payload = triton.ModelReadyRequest(name=name, version=version).SerializeToString()
        answer = inference.model_ready(payload, "m", "abc", state)
        assert triton.ModelReadyResponse.FromString(answer).ready is expected


def test_metadata():
    answer = inference.server_metadata("perennial-runtime", "0.1", ["binary_tensor_data"])
    server = triton.ServerMetadataResponse.FromString(answer)
    assert (server.name, server.version) == ("perennial-runtime", "0.1")
    assert list(server.extensions) == ["binary_tensor_data"]
    payload = triton.ModelMetadataRequest(name="m").SerializeToString()
    answer = inference.model_metadata(payload, "m", "abc", "onnxruntime_onnx", [X], [Y], {"a": "b"})
    for kind in (triton, open_inference):
        model = kind.ModelMetadataResponse.FromString(answer)
        assert (model.name, list(model.versions), model.platform) == (
            "m",
            ["abc"],
            "onnxruntime_onnx",
        )
        (given_input,), (given_output,) = model.inputs, model.outputs
        assert (given_input.name, given_input.datatype, list(given_input.shape)) == (
            "X",
            "FP32",
            [-1, 2],
        )
        assert (given_output.name, list(given_output.shape)) == ("Y", [])
    assert dict(model.properties) == {"a": "b"}
    other = triton.ModelMetadataRequest(name="n").SerializeToString()
    with pytest.raises(NotFoundError, match="model: expected 'm', got 'n'"):
        inference.model_metadata(other, "m", "abc", "onnxruntime_onnx", [X], [Y], {})


def test_streams_contain_responses_and_errors():
    response = triton.ModelInferResponse(model_name="m", id="7" * 200)
    answer = inference.stream_response(response.SerializeToString())
    assert triton.ModelStreamInferResponse.FromString(answer).infer_response == response
    answer = inference.stream_error("input 'X': no")
    assert triton.ModelStreamInferResponse.FromString(answer).error_message == "input 'X': no"


def test_statistics():
    statistics = Statistics(
        last_inference_ms=5,
        inference_count=64,
        execution_count=2,
        success=Duration(3, 300),
        compute_infer=Duration(2, 200),
        batches={
            32: BatchStatistics(compute_infer=Duration(2, 200)),
            1: BatchStatistics(),
        },
    )
    for name in ("m", ""):
        payload = triton.ModelStatisticsRequest(name=name).SerializeToString()
        answer = inference.model_statistics(payload, "m", "abc", statistics)
        (model,) = triton.ModelStatisticsResponse.FromString(answer).model_stats
        assert (model.name, model.version, model.last_inference) == ("m", "abc", 5)
        assert (model.inference_count, model.execution_count) == (64, 2)
        assert (model.inference_stats.success.count, model.inference_stats.success.ns) == (3, 300)
        assert model.inference_stats.compute_infer.ns == 200
        assert [batch.batch_size for batch in model.batch_stats] == [1, 32]
        assert model.batch_stats[1].compute_infer.count == 2
    payload = triton.ModelStatisticsRequest(name="n").SerializeToString()
    with pytest.raises(NotFoundError):
        inference.model_statistics(payload, "m", "abc", statistics)


def test_the_repository_has_one_model():
    every, only_ready = (
        triton.RepositoryIndexRequest(ready=ready).SerializeToString() for ready in (False, True)
    )

    def index(payload, ready):
        answer = inference.repository_index(payload, "m", "abc", ready, "loading")
        return triton.RepositoryIndexResponse.FromString(answer).models

    (model,) = index(every, True)
    assert (model.name, model.version, model.state, model.reason) == ("m", "abc", "READY", "")
    (model,) = index(every, False)
    assert (model.state, model.reason) == ("UNAVAILABLE", "loading")
    assert len(index(only_ready, True)) == 1
    assert len(index(only_ready, False)) == 0


def test_health():
    kind = health_pb2.HealthCheckResponse
    for service in ("", *SERVICES):
        payload = health_pb2.HealthCheckRequest(service=service).SerializeToString()
        assert kind.FromString(health.check(payload, True)).status == kind.SERVING
        assert kind.FromString(health.check(payload, False)).status == kind.NOT_SERVING
    payload = health_pb2.HealthCheckRequest(service="other").SerializeToString()
    with pytest.raises(NotFoundError, match="service: expected one of '', 'inference"):
        health.check(payload, True)
    assert health.requested_service(payload) == "other"
    assert kind.FromString(health.status("other", True)).status == kind.SERVICE_UNKNOWN
    statuses = health._ListResponse.FromString(health.status_of_all(True)).statuses
    assert set(statuses) == {"", *SERVICES}
    assert {value.status for value in statuses.values()} == {kind.SERVING}


def reflected(**payload):
    request = reflection_pb2.ServerReflectionRequest(host="h", **payload)
    answer = reflection_pb2.ServerReflectionResponse.FromString(
        reflection.reflect(request.SerializeToString())
    )
    assert answer.valid_host == "h"
    assert answer.original_request == request
    return answer


def add_file(pool, data):
    """Add a file with its imports to a client's pool, each requested by name."""
    file = FileDescriptorProto.FromString(data)
    for name in file.dependency:
        (imported_data,) = reflected(
            file_by_filename=name
        ).file_descriptor_response.file_descriptor_proto
        add_file(pool, imported_data)
    pool.Add(file)
    return file


def test_reflection_lets_a_client_call_every_method():
    listed = reflected(list_services="").list_services_response.service
    services = [service.name for service in listed]
    assert services == [*SERVICES, *TENSORFLOW_SERVICES]
    for service in services:
        (data,) = reflected(
            file_containing_symbol=service
        ).file_descriptor_response.file_descriptor_proto
        pool = DescriptorPool()
        file = add_file(pool, data)
        assert reflected(
            file_by_filename=file.name
        ).file_descriptor_response.file_descriptor_proto == [data]
        for method in pool.FindServiceByName(service).methods:
            assert method.input_type.fields is not None
            same = reflected(file_containing_symbol=method.full_name)
            assert same.file_descriptor_response.file_descriptor_proto == [data]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"file_containing_symbol": "inference.GRPCInferenceService.Nothing"}, 5),
        ({"file_containing_symbol": "nothing"}, 5),
        ({"file_by_filename": "nothing.proto"}, 5),
        ({"all_extension_numbers_of_type": "nothing"}, 5),
        ({"file_containing_extension": {"containing_type": "a", "extension_number": 1}}, 5),
        ({}, 3),
    ],
)
def test_reflection_reports_unknown_names(payload, code):
    error = reflected(**payload).error_response
    assert error.error_code == code
    assert error.error_message


def test_messages_have_no_extensions():
    answer = reflected(all_extension_numbers_of_type="inference.ModelInferRequest")
    assert answer.all_extension_numbers_response.base_type_name == "inference.ModelInferRequest"
    assert not answer.all_extension_numbers_response.extension_number


@unhurried
@given(st.binary())
def test_any_message_is_either_answered_or_rejected(data):
    for answer in (
        lambda: inference.model_ready(data, "m", "abc", True),
        lambda: inference.model_metadata(data, "m", "abc", "p", [X], [Y], {}),
        lambda: inference.model_statistics(data, "m", "abc", Statistics()),
        lambda: inference.repository_index(data, "m", "abc", True),
        lambda: health.check(data, True),
        lambda: reflection.reflect(data),
    ):
        try:
            assert isinstance(answer(), bytes)
        except RequestError as error:
            assert str(error)  # noqa: PT017


def test_errors_map_to_grpc_status_codes():
    import grpc

    for error, code in [
        (BadRequestError("no"), grpc.StatusCode.INVALID_ARGUMENT),
        (NotFoundError("no"), grpc.StatusCode.NOT_FOUND),
        (UnavailableError("no"), grpc.StatusCode.UNAVAILABLE),
        (RunFailedError("no"), grpc.StatusCode.INTERNAL),
    ]:
        assert status.code_of(error) == code.value[0]


@given(st.text())
def test_a_message_in_the_trailers_is_printable_and_short(text):
    trailer = status.message_trailer(text * 100)
    assert trailer.isascii()
    assert trailer.isprintable()
    assert len(trailer) <= 4096
    assert not trailer.endswith("%")


def test_a_message_is_encoded_like_grpc():
    assert status.message_trailer("input 'é': 100 %\n") == "input '%C3%A9': 100 %25%0A"


def test_our_messages_are_not_in_the_default_pool():
    program = (
        "import perennial_runtime.protocol.grpc.codec, tritonclient.grpc.service_pb2 as theirs;"
        "theirs.ModelInferRequest(model_name='m')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
