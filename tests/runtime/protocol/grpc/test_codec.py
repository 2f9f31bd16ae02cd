"""ModelInfer over gRPC, with messages and encoders of existing clients."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.clients import imported
from support.tensors import DATATYPES, arrays, mutations, unhurried

from perennial_runtime.errors import BadRequestError, NotFoundError, RequestError
from perennial_runtime.protocol.grpc.codec import CONTENTS_FIELDS, GrpcCodec
from perennial_runtime.protocol.shared.protobuf import varint
from perennial_runtime.signature import DTYPES, TensorSpec

triton = imported("tritonclient.grpc")
build = imported("tritonclient.grpc._utils")._get_inference_request
open_inference = imported("open_inference.grpc.protocol")
kserve = imported("kserve.protocol.grpc.grpc_predict_v2_pb2")
Request = triton.service_pb2.ModelInferRequest
Response = triton.service_pb2.ModelInferResponse

X = TensorSpec("X", "FP32", (-1, 2))
S = TensorSpec("S", "BYTES", (-1,))
ROWS = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)


def codec(*tensors: TensorSpec, labels=None) -> GrpcCodec:
    """Return the codec of a model that returns its inputs."""
    return GrpcCodec("m", "abc", tensors, tensors, labels)


def infer_input(name, datatype, array):
    tensor = triton.InferInput(name, list(array.shape), datatype)
    if datatype == "BYTES":
        flat = np.array([text.encode() for text in array.flat] or [], object)
        array = flat.reshape(array.shape)
    tensor.set_data_from_numpy(array)
    return tensor


def request(*inputs, outputs=None, version="", identity=""):
    return build("m", inputs, version, identity, outputs, 0, False, False, 0, None, None)


def message(*inputs, **more) -> bytes:
    return request(*inputs, **more).SerializeToString()


def as_numpy(answer: bytes, name: str, datatype: str):
    array = triton.InferResult(Response.FromString(answer)).as_numpy(name)
    if datatype == "BYTES":
        return np.array([text.decode() for text in array.flat] or [], object).reshape(array.shape)
    return array


def typed(kind, name, datatype, array, **more):
    """Build a request of typed contents; ``kind`` is a client's ModelInferRequest."""
    request = kind(model_name="m", **more)
    tensor = request.inputs.add(name=name, datatype=datatype, shape=array.shape)
    values = array.reshape(-1).tolist()
    field = getattr(tensor.contents, CONTENTS_FIELDS[datatype])
    field.extend([text.encode() for text in values] if datatype == "BYTES" else values)
    return request


@unhurried
@given(st.lists(arrays(), min_size=1, max_size=4), st.text(max_size=5), st.booleans())
def test_raw_contents_preserve_every_tensor(cases, identity, any_extent):
    specs = [
        TensorSpec(f"t{index}", datatype, (-1,) * array.ndim if any_extent else array.shape)
        for index, (datatype, array) in enumerate(cases)
    ]
    inputs = [
        infer_input(spec.name, datatype, array)
        for spec, (datatype, array) in zip(specs, cases, strict=True)
    ]
    model = codec(*specs)
    for _ in range(3):  # read, read and remembered, and recalled
        request = model.decode(message(*inputs, identity=identity))
        assert request.id == (identity or None)
        assert request.outputs == tuple(spec.name for spec in specs)
        answer = model.encode(request, [request.feeds[name] for name in request.outputs])
        for spec, (datatype, array) in zip(specs, cases, strict=True):
            decoded = request.feeds[spec.name]
            assert decoded.dtype == DTYPES[datatype]
            assert decoded.flags.aligned
            np.testing.assert_array_equal(decoded, array)
            np.testing.assert_array_equal(as_numpy(answer, spec.name, datatype), array)
    response = Response.FromString(answer)
    assert (response.model_name, response.model_version) == ("m", "abc")
    assert response.id == identity
    assert [(output.name, output.datatype) for output in response.outputs] == [
        (spec.name, spec.datatype) for spec in specs
    ]


@pytest.mark.parametrize(
    "kind",
    [Request, open_inference.ModelInferRequest, kserve.ModelInferRequest],
    ids=["triton", "open-inference", "kserve"],
)
@unhurried
@given(case=arrays(datatypes=sorted(CONTENTS_FIELDS)))
def test_typed_contents_preserve_every_tensor(kind, case):
    datatype, array = case
    request = codec(TensorSpec("X", datatype, (-1,) * array.ndim)).decode(
        typed(kind, "X", datatype, array, id="7").SerializeToString()
    )
    assert request.id == "7"
    assert request.feeds["X"].dtype == DTYPES[datatype]
    np.testing.assert_array_equal(request.feeds["X"], array)


def test_only_half_precision_has_no_typed_contents():
    assert set(DATATYPES) - set(CONTENTS_FIELDS) == {"FP16"}


@pytest.mark.parametrize("version", ["", "1", "abc"])
def test_only_the_served_name_and_version_are_accepted(version):
    request = codec(X).decode(message(infer_input("X", "FP32", ROWS), version=version))
    np.testing.assert_array_equal(request.feeds["X"], ROWS)
    with pytest.raises(NotFoundError, match="version: expected 'abc' or '1', got '2'"):
        codec(X).decode(message(infer_input("X", "FP32", ROWS), version="2"))
    with pytest.raises(NotFoundError, match="model: expected 'n', got 'm'"):
        GrpcCodec("n", "abc", [X], [X]).decode(message(infer_input("X", "FP32", ROWS)))


def test_outputs_have_the_order_of_the_request():
    outputs = [triton.InferRequestedOutput("S"), triton.InferRequestedOutput("X", class_count=1)]
    texts = np.array(["é", ""], object)
    inputs = infer_input("X", "FP32", ROWS), infer_input("S", "BYTES", texts)
    model = codec(X, S, labels={"X": ["no", "yes"]})
    for _ in range(3):
        request = model.decode(message(*inputs, outputs=outputs))
        assert list(request.outputs) == ["S", "X"]
        answer = model.encode(request, [texts, ROWS])
        assert as_numpy(answer, "S", "BYTES").tolist() == ["é", ""]
        assert as_numpy(answer, "X", "BYTES").tolist() == [["2.000000:1:yes"], ["4.000000:1:yes"]]


def test_the_memo_does_not_remember_data():
    model = codec(X, S)
    for index in range(5):
        rows = ROWS * index
        texts = np.array(["a" * index, "b" * (4 - index)], object)
        same_length = infer_input("X", "FP32", rows), infer_input("S", "BYTES", texts)
        data = message(*same_length, identity=f"id{index}")
        assert (model._memo.recall(data) is not None) is (index >= 2)
        request = model.decode(data)
        np.testing.assert_array_equal(request.feeds["X"], rows)
        assert request.feeds["S"].tolist() == texts.tolist()
        assert request.id == f"id{index}"


def with_raw(*parts, **tensor):
    request = Request(model_name="m")
    request.inputs.add(**{"name": "X", "datatype": "FP32", "shape": [1, 2], **tensor})
    request.raw_input_contents.extend(parts)
    return request


def with_contents(datatype, shape, **contents):
    request = Request(model_name="m")
    tensor = request.inputs.add(name="X", datatype=datatype, shape=shape)
    for field, values in contents.items():
        getattr(tensor.contents, field).extend(values)
    return request


def with_shared_memory():
    request = with_raw()
    request.inputs[0].parameters["shared_memory_region"].string_param = "r"
    return request


def with_output(name="X", **parameter):
    request = with_raw(bytes(8))
    output = request.outputs.add(name=name)
    for kind, value in parameter.items():
        setattr(output.parameters["classification"], kind, value)
    return request


@pytest.mark.parametrize(
    ("spec", "invalid", "message"),
    [
        (X, Request(model_name="m"), "inputs: expected 'X', 'X' missing"),
        (X, with_raw(bytes(8), name="Z"), "inputs: expected tensors named 'X', got \"Z\""),
        (X, with_raw(bytes(8), datatype="FP64"), 'datatype: expected FP32, got "FP64"'),
        (X, with_raw(bytes(8), datatype=""), "datatype: expected FP32, got nothing"),
        (X, with_raw(bytes(8), shape=[2]), "shape: expected [-1, 2] (-1: any extent), got [2]"),
        (X, with_raw(bytes(8), shape=[-1, 2]), "shape: expected [-1, 2]"),
        (X, with_raw(bytes(8), shape=[2**62, 2]), "shape: expected [-1, 2]"),
        (X, with_raw(bytes(7)), "data: expected 8 bytes for FP32 of shape [1, 2], got 7"),
        (X, with_raw(bytes(8), bytes(8)), "expected one for each of the 1 inputs, or none, got 2"),
        (
            X,
            with_raw(bytes(8), contents={"fp32_contents": [1]}),
            "contents: expected none beside raw_input_contents",
        ),
        (X, with_shared_memory(), "shared memory is not supported"),
        (X, with_output("Y"), "outputs: expected some of 'X', each once, got \"Y\""),
        (X, with_output(int64_param=0), "classification: expected a number of classes from 1 up"),
        (X, with_output(string_param="2"), 'from 1 up, got "2"'),
        (
            X,
            with_contents("FP32", [1, 2], fp32_contents=[1]),
            "expected 2 elements in fp32_contents for FP32 of shape [1, 2], and no others, "
            "got 1 in fp32_contents",
        ),
        (
            X,
            with_contents("FP32", [1, 2], fp32_contents=[1, 2], int_contents=[1]),
            "and no others, got 1 in int_contents, 2 in fp32_contents",
        ),
        (X, with_contents("FP32", [0, 2], int_contents=[1]), "got 1 in int_contents"),
        (X, with_contents("FP32", [1, 2]), "and no others, got none"),
        (
            TensorSpec("X", "FP16", (1,)),
            with_contents("FP16", [1], fp32_contents=[1]),
            "contents: no field for FP16. Fix: send raw_input_contents",
        ),
        (
            TensorSpec("X", "INT8", (2,)),
            with_contents("INT8", [2], int_contents=[1, 300]),
            "contents: expected numbers from -128 to 127, got 300",
        ),
        (
            TensorSpec("X", "UINT16", (2,)),
            with_contents("UINT16", [2], uint_contents=[1, 2**16]),
            "contents: expected numbers from 0 to 65535, got 65536",
        ),
        (
            TensorSpec("X", "BYTES", (2,)),
            with_contents("BYTES", [2], bytes_contents=[b"a", b"a\xff"]),
            "got element 1 with the byte 0xff at 1",
        ),
    ],
)
def test_an_invalid_request_reports_the_expected_value(spec, invalid, message):
    with pytest.raises(BadRequestError) as caught:
        codec(spec).decode(invalid.SerializeToString())
    assert message in str(caught.value)


def test_a_repeated_tensor_is_rejected():
    request = with_raw(bytes(8), bytes(8))
    request.inputs.append(request.inputs[0])
    with pytest.raises(BadRequestError, match="input 'X': expected once, got it twice"):
        codec(X).decode(request.SerializeToString())


MIXED = (X, S, TensorSpec("B", "BOOL", (-1, -1)))
VALID = message(
    infer_input("X", "FP32", ROWS),
    infer_input("S", "BYTES", np.array(["é", ""], object)),
    infer_input("B", "BOOL", np.array([[True]])),
    outputs=[triton.InferRequestedOutput("S"), triton.InferRequestedOutput("X", class_count=2)],
    identity="7",
)


@unhurried
@given(st.binary())
def test_any_message_is_either_read_or_rejected(data):
    for spec in MIXED:
        try:
            codec(spec).decode(data)
        except RequestError as error:
            assert str(error)  # noqa: PT017


TYPED = typed(Request, "X", "FP32", ROWS)
TYPED.inputs.extend(typed(Request, "S", "BYTES", np.array(["é", ""], object)).inputs)
TYPED.inputs.extend(typed(Request, "B", "BOOL", np.array([[True]])).inputs)

SHARED = codec(*MIXED)


@unhurried
@given(mutations(VALID) | mutations(TYPED.SerializeToString()))
@example(VALID)
@example(VALID + VALID)
def test_a_garbled_message_has_the_same_result_with_and_without_a_memo(data):
    for _ in range(2):
        SHARED.decode(VALID)
    outcomes = []
    for model in (SHARED, codec(*MIXED)):
        try:
            request = model.decode(data)
        except RequestError as error:
            outcomes.append(str(error))
            continue
        feeds = {name: (array.shape, array.tolist()) for name, array in request.feeds.items()}
        outcomes.append(repr((feeds, request.outputs, request.id, request.forms)))
        model.encode(request, [request.feeds[name] for name in request.outputs])
    assert outcomes[0] == outcomes[1]


@given(st.integers(0, 2**40))
@example(0x7F)
@example(0x80)
def test_lengths_are_encoded_like_protobuf(value):
    written = triton.service_pb2.StatisticDuration(count=value).SerializeToString()
    assert written == (b"\x08" + varint(value) if value else b"")
