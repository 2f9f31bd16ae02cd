"""The binary tensor data extension of REST, with tritonclient's encoder."""

import numpy as np
import onnxruntime
import orjson
import pytest
import tritonclient.http as triton
from hypothesis import example, given
from hypothesis import strategies as st
from onnx import TensorProto
from support.tensors import DATATYPES, arrays, mutations, unhurried

from perennial_runtime.errors import BadRequestError, RequestError
from perennial_runtime.protocol.v2.codec import V2Codec
from perennial_runtime.protocol.v2.header import read_header_length
from perennial_runtime.signature import DTYPES, TensorSpec

X = TensorSpec("X", "FP32", (-1, 2))
S = TensorSpec("S", "BYTES", (-1,))
ROWS = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)


def codec(*tensors: TensorSpec, labels=None) -> V2Codec:
    """Return the codec of a model that returns its inputs."""
    return V2Codec("m", "v", tensors, tensors, labels)


def infer_input(name, datatype, array, binary=True) -> triton.InferInput:
    tensor = triton.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(encoded(datatype, array), binary_data=binary)
    return tensor


def encoded(datatype, array):
    """Return an array for tritonclient: BYTES as bytes, at least one dimension."""
    if datatype != "BYTES":
        return array
    flat = np.array([text.encode() for text in array.flat] or [], object)
    return flat.reshape(array.shape)


def request(*inputs, outputs=None, **more) -> tuple[bytes, int | None]:
    return triton.InferenceServerClient.generate_request_body(list(inputs), outputs=outputs, **more)


def answer(model: V2Codec, body: bytes, header_length: int | None) -> triton.InferResult:
    """Return the arrays that tritonclient reads from a model that returns its inputs."""
    parsed = model.decode(body, header_length)
    response, length = model.encode(parsed, [parsed.feeds[name] for name in parsed.outputs])
    return triton.InferenceServerClient.parse_response_body(response, header_length=length)


def raw(head: dict, *parts: bytes) -> tuple[bytes, int]:
    text = orjson.dumps(head)
    return b"".join((text, *parts)), len(text)


def tensor(size, shape=(1, 2), datatype="FP32", name="X", **more):
    return {
        "name": name,
        "datatype": datatype,
        "shape": list(shape),
        "parameters": {"binary_data_size": size},
        **more,
    }


def assert_same(datatype, got, array):
    if datatype == "BYTES":
        got = np.array([value.decode() for value in got.flat] or [], object).reshape(got.shape)
    assert got.shape == array.shape
    np.testing.assert_array_equal(got, array)


@unhurried
@given(arrays(), st.booleans())
def test_binary_data_preserve_every_tensor(case, any_extent):
    datatype, array = case
    spec = TensorSpec("X", datatype, (-1,) * array.ndim if any_extent else array.shape)
    parsed = codec(spec).decode(*request(infer_input("X", datatype, array)))
    assert parsed.feeds["X"].dtype == DTYPES[datatype]
    assert parsed.feeds["X"].flags.aligned
    np.testing.assert_array_equal(parsed.feeds["X"], array)
    response, length = codec(spec).encode(parsed, [array])
    head = orjson.loads(response[:length])
    (output,) = head["outputs"]
    assert output["parameters"]["binary_data_size"] == len(response) - length
    result = triton.InferenceServerClient.parse_response_body(response, header_length=length)
    assert_same(datatype, result.as_numpy("X"), array)


@unhurried
@given(st.lists(st.tuples(arrays(), st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_json_and_binary_tensors_may_be_mixed_both_ways(cases):
    specs, inputs, outputs = [], [], []
    for index, ((datatype, array), binary_in, binary_out) in enumerate(cases):
        name = f"t{index}"
        specs.append(TensorSpec(name, datatype, array.shape))
        is_text = datatype != "FP16" and not (array.dtype.kind == "f" and np.isnan(array).any())
        inputs.append(infer_input(name, datatype, array, binary_in or not is_text))
        outputs.append(triton.InferRequestedOutput(name, binary_data=binary_out))
    result = answer(codec(*specs), *request(*inputs, outputs=outputs[::-1], request_id="7"))
    assert result.get_response()["id"] == "7"
    assert [output["name"] for output in result.get_response()["outputs"]] == [
        spec.name for spec in reversed(specs)
    ]
    for spec, ((datatype, array), _, binary_out) in zip(specs, cases, strict=True):
        output = result.get_output(spec.name)
        assert ("data" in output) is not binary_out
        if binary_out or datatype != "BYTES":
            assert_same(datatype, result.as_numpy(spec.name), array)
        else:
            assert output["data"] == array.reshape(-1).tolist()


def test_aligned_numbers_are_read_without_a_copy():
    head = orjson.dumps({"inputs": [tensor(16, (2, 2))]})
    for pad in range(4):
        text = head[:-1] + b" " * pad + b"}"
        array = codec(X).decode(text + ROWS.tobytes(), len(text)).feeds["X"]
        np.testing.assert_array_equal(array, ROWS)
        assert array.flags.aligned
        is_view = array.base is not None and not array.flags.owndata and not array.flags.writeable
        assert is_view is (len(text) % 4 == 0)


def test_the_choice_of_the_request_is_the_default_of_its_outputs():
    specs = (X, TensorSpec("Z", "FP32", (-1, 2)))
    inputs = [tensor(16, (2, 2)), tensor(16, (2, 2), name="Z")]
    outputs = [{"name": "X"}, {"name": "Z", "parameters": {"binary_data": False}}]
    for wanted, binary in ((outputs, [True, False]), (None, [True, True]), ([], [True, True])):
        head = {"inputs": inputs, "parameters": {"binary_data_output": True, "mine": [1]}}
        body, length = raw({**head, "outputs": wanted}, ROWS.tobytes(), ROWS.tobytes())
        parsed = codec(*specs).decode(body, length)
        assert [form.binary for form in parsed.forms] == binary
    body, length = raw({"inputs": inputs}, ROWS.tobytes(), ROWS.tobytes())
    response, length = codec(*specs).encode(codec(*specs).decode(body, length), [ROWS, ROWS])
    assert length is None
    assert orjson.loads(response)["outputs"][0]["data"] == [1, 2, 3, 4]


@unhurried
@given(st.sampled_from([d for d in DATATYPES if d != "BYTES"]), st.integers(0, 3), st.data())
def test_a_body_without_a_head_is_the_only_inputs_data(datatype, rows, data):
    spec = TensorSpec("X", datatype, (2, -1, 3))
    body = np.ones((2, rows, 3), DTYPES[datatype]).tobytes()
    parsed = codec(spec).decode(body, 0)
    assert parsed.feeds["X"].shape == (2, rows, 3)
    assert parsed.feeds["X"].tobytes() == body
    response, length = codec(spec).encode(parsed, [parsed.feeds["X"]])
    assert response[length:] == body


@pytest.mark.parametrize("shape", [(-1,), (1,), (-1, 1), (-1, -1), ()])
def test_a_body_without_a_head_is_one_string(shape):
    parsed = codec(TensorSpec("X", "BYTES", shape)).decode("naïve".encode(), 0)
    assert parsed.feeds["X"].shape == (1,) * len(shape)
    assert parsed.feeds["X"].reshape(-1).tolist() == ["naïve"]


@pytest.fixture(scope="module")
def echo(identity):
    """A session of ONNX Runtime that returns its input strings."""
    model = identity(S=(TensorProto.STRING, ["N"]))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda array: session.run(None, {"S": array})[0]


@unhurried
@given(texts=st.lists(st.text(), max_size=5))
@example(texts=["", "nul \0 in it\0", "naïve 🌳"])
def test_onnx_runtime_preserves_any_text(echo, texts):
    model = codec(S)
    parsed = model.decode(*request(infer_input("S", "BYTES", np.array(texts, object))))
    response, length = model.encode(parsed, [echo(parsed.feeds["S"])])
    result = triton.InferenceServerClient.parse_response_body(response, header_length=length)
    assert_same("BYTES", result.as_numpy("S"), np.array(texts, object))


def test_onnx_runtime_changes_bytes_that_are_no_text(echo):
    # The reason to reject them. If this test fails, there is no reason any more.
    assert echo(np.array([b"\xff"], object)).tolist() == ["b'\\xff'"]
    with pytest.raises(UnicodeDecodeError):
        echo(np.array([b"\xff"]))


def test_half_a_surrogate_pair_is_no_text():
    body = rb'{"inputs": [{"name": "S", "datatype": "BYTES", "shape": [1], "data": ["\ud800"]}]}'
    with pytest.raises(BadRequestError, match="body: expected JSON"):
        codec(S).decode(body)


def test_a_head_may_be_the_whole_body():
    body = orjson.dumps({"inputs": [{**tensor(0), "parameters": {}, "data": [1, 2]}]})
    assert codec(X).decode(body, len(body)).feeds["X"].tolist() == [[1, 2]]


def test_an_empty_binary_tensor_needs_no_bytes():
    body, length = raw({"inputs": [tensor(0, (0, 2))]})
    for header_length in (length, None):
        assert codec(X).decode(body, header_length).feeds["X"].shape == (0, 2)


DATA = ROWS[:1].tobytes()
TEXT = TensorSpec("X", "BYTES", (-1,))


@pytest.mark.parametrize(
    ("spec", "case", "message"),
    [
        (X, raw({"inputs": [tensor(8)]}, DATA[:7]), "at most the 7 bytes that are left"),
        (
            X,
            raw({"inputs": [tensor(8)]}, DATA, b"!"),
            "body: expected as many bytes of binary data as",
        ),
        (X, raw({"inputs": [tensor(4)]}, DATA[:4]), "data: expected 8 bytes for FP32"),
        (X, raw({"inputs": [tensor(8, (2**31 - 1, 2))]}, DATA), "expected 17179869176 bytes"),
        (X, raw({"inputs": [tensor(-1)]}), "binary_data_size: expected a number of bytes, got -1"),
        (X, raw({"inputs": [tensor(True)]}), "binary_data_size: expected a number of bytes"),
        (X, raw({"inputs": [tensor("8")]}, DATA), "binary_data_size: expected a number of bytes"),
        (X, raw({"inputs": [tensor(8, data=[1, 2])]}, DATA), "expected none beside binary_data"),
        (
            X,
            raw({"inputs": [{**tensor(8), "parameters": [8]}]}),
            "inputs: parameters of 'X': expected an object, got [8]",
        ),
        (X, raw({"inputs": [tensor(8)], "parameters": 1}, DATA), "parameters: expected an object"),
        (
            X,
            raw({"inputs": [tensor(8)], "parameters": {"binary_data_output": 1}}, DATA),
            "binary_data_output: expected true or false, got 1",
        ),
        (
            X,
            raw({"inputs": [tensor(8)], "outputs": [{"name": "X", "parameters": 5}]}, DATA),
            "outputs: parameters of 'X': expected an object, got 5",
        ),
        (
            X,
            raw(
                {
                    "inputs": [tensor(8)],
                    "outputs": [{"name": "X", "parameters": {"binary_data": "yes"}}],
                },
                DATA,
            ),
            "output 'X': parameters: binary_data: expected true or false",
        ),
        (
            X,
            raw({"inputs": [{**tensor(8), "parameters": {"shared_memory_region": "r"}}]}),
            "Shared memory is not supported",
        ),
        (X, (b"{}", 3), "expected a length within the body's 2 bytes, got 3"),
        (X, (b"{}", -1), "expected a length within the body's 2 bytes, got -1"),
        (X, (orjson.dumps({"inputs": [tensor(8)]}) + DATA, None), "body: expected JSON"),
        (X, (orjson.dumps({"inputs": [tensor(8)]}), None), "(the header Inference-"),
        (X, (DATA + b"!", 0), "expected a multiple of 8 bytes for the shape [-1, 2], got 9"),
        (TensorSpec("X", "FP32", (2, 2)), (DATA, 0), "data: expected 16 bytes"),
        (TensorSpec("X", "FP32", (-1, -1)), (DATA, 0), "at most one free dimension"),
        (TensorSpec("X", "FP32", (-1, 0)), (DATA, 0), "expected a multiple of 0 bytes"),
        (TensorSpec("X", "BYTES", (2,)), (DATA, 0), "expected an input of one string"),
        (TensorSpec("X", "BYTES", (1,)), (b"\xff", 0), "expected UTF-8"),
        (
            TensorSpec("X", "BOOL", (1,)),
            raw({"inputs": [tensor(1, (1,), "BOOL")]}, b"\x02"),
            "expected a byte of 0 or 1 for each BOOL",
        ),
        (
            TensorSpec("X", "FP32", (-1, -1, -1)),
            raw({"inputs": [tensor(0, (0, 2**31 - 1, 2**31 - 1))]}),
            "shape: expected extents whose product, without zeros, is at most",
        ),
        (
            TEXT,
            raw({"inputs": [tensor(4, (2,), "BYTES")]}, bytes(4)),
            "expected 2 elements for the shape [2], each with a length of 4 bytes",
        ),
        (
            TEXT,
            raw({"inputs": [tensor(5, (1,), "BYTES")]}, b"\x02\0\0\0a"),
            "expected element 0 of 1 to end within 5 bytes, got a length of 2 at 0",
        ),
        (
            TEXT,
            raw({"inputs": [tensor(9, (2,), "BYTES")]}, b"\x02\0\0\0ab\0\0\0"),
            "expected element 1 of 2 to end within 9 bytes, got no length at 6",
        ),
        (
            TEXT,
            raw({"inputs": [tensor(6, (1,), "BYTES")]}, b"\x01\0\0\0ab"),
            "expected 1 elements for the shape [1] in 5 bytes, got 1 bytes more",
        ),
        (
            TEXT,
            raw({"inputs": [tensor(10, (2,), "BYTES")]}, b"\x01\0\0\0a\x01\0\0\0\xff"),
            "got element 1 with the byte 0xff at 0",
        ),
    ],
)
def test_an_invalid_body_reports_the_expected_value(spec, case, message):
    with pytest.raises(BadRequestError) as caught:
        codec(spec).decode(*case)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "1.0", "٣", "9" * 19])
def test_a_header_that_is_no_length_is_rejected(text):
    with pytest.raises(BadRequestError, match="Inference-Header-Content-Length: expected a number"):
        read_header_length(text)


def test_a_header_is_read():
    assert [read_header_length(text) for text in ("0", "120")] == [0, 120]


def test_a_body_without_a_head_is_only_for_models_of_one_input():
    with pytest.raises(BadRequestError, match="Only a model with one input"):
        codec(*MIXED).decode(DATA, 0)


@unhurried
@given(st.binary(), st.none() | st.integers(-1, 300))
@example(b"", 0)
def test_any_body_is_either_read_or_rejected(body, header_length):
    for spec in (X, TEXT, TensorSpec("X", "BOOL", ())):
        try:
            codec(spec).decode(body, header_length)
        except RequestError as error:
            assert str(error)  # noqa: PT017


MIXED = (X, S, TensorSpec("B", "BOOL", (-1, -1)))
VALID, VALID_LENGTH = request(
    infer_input("X", "FP32", ROWS),
    infer_input("S", "BYTES", np.array(["é", ""], object)),
    infer_input("B", "BOOL", np.array([[True]])),
    outputs=[triton.InferRequestedOutput("X", class_count=2)],
)


SHARED = codec(*MIXED)


@unhurried
@given(mutations(VALID), st.integers(-2, 2))
@example(VALID, 0)
def test_a_garbled_body_has_the_same_result_with_and_without_a_memo(body, shift):
    for _ in range(2):
        SHARED.decode(VALID, VALID_LENGTH)
    outcomes = []
    for model in (SHARED, codec(*MIXED)):
        try:
            parsed = model.decode(body, VALID_LENGTH + shift)
        except RequestError as error:
            outcomes.append(str(error))
            continue
        feeds = {name: (array.shape, array.tolist()) for name, array in parsed.feeds.items()}
        outcomes.append(repr((feeds, parsed.outputs, parsed.id, parsed.forms)))
        model.encode(parsed, [parsed.feeds[name] for name in parsed.outputs])
    assert outcomes[0] == outcomes[1]


def test_the_memo_of_heads_does_not_remember_data():
    model = codec(X, S)
    heads = set()
    for index in range(5):
        rows = ROWS * index
        texts = np.array(["a" * index, "b" * (4 - index)], object)
        body, length = request(infer_input("X", "FP32", rows), infer_input("S", "BYTES", texts))
        heads.add(body[:length])
        assert (body[:length] in model._layouts) is (index >= 2)
        parsed = model.decode(body, length)
        np.testing.assert_array_equal(parsed.feeds["X"], rows)
        assert parsed.feeds["X"].flags.aligned
        assert parsed.feeds["S"].tolist() == texts.tolist()
        with pytest.raises(BadRequestError, match="got 1 more"):
            model.decode(body + b"!", length)
    assert len(heads) == 1


@pytest.mark.parametrize("binary", [True, False])
def test_an_output_may_be_its_highest_classes_by_label(binary):
    model = codec(X, labels={"X": ["no", "yes"]})
    parameters = {"classification": 1, "binary_data": binary}
    body, length = raw(
        {
            "inputs": [tensor(16, (2, 2))],
            "outputs": [{"name": "X", "parameters": parameters}],
        },
        ROWS.tobytes(),
    )
    (output,) = answer(model, body, length).get_response()["outputs"]
    assert (output["datatype"], output["shape"]) == ("BYTES", [2, 1])
    assert output.get("data") == (None if binary else ["2.000000:1:yes", "4.000000:1:yes"])
    if binary:
        texts = answer(model, body, length).as_numpy("X")
        assert texts.tolist() == [[b"2.000000:1:yes"], [b"4.000000:1:yes"]]


@pytest.mark.parametrize(
    ("datatype", "parameter", "message"),
    [
        ("FP32", 0, "classification: expected a number of classes from 1 up, got 0"),
        ("FP32", True, "classification: expected a number of classes from 1 up, got true"),
        ("FP32", "2", "classification: expected a number of classes from 1 up"),
        ("BYTES", 1, "classification: expected an output of numbers, got BYTES"),
        ("BOOL", 1, "classification: expected an output of numbers, got BOOL"),
    ],
)
def test_an_invalid_classification_is_rejected(datatype, parameter, message):
    model = V2Codec("m", "v", [X], [TensorSpec("Y", datatype, (-1,))])
    outputs = [{"name": "Y", "parameters": {"classification": parameter}}]
    with pytest.raises(BadRequestError) as caught:
        model.decode(*raw({"inputs": [tensor(8)], "outputs": outputs}, DATA))
    assert f"output 'Y': parameters: {message}" in str(caught.value)


@pytest.mark.parametrize("shift", range(5))
def test_a_view_is_read_like_bytes_with_any_alignment(shift):
    # The codec remembers the head after its second request.
    model = codec(X, S)
    size = ROWS.nbytes
    body, head = raw(
        {"inputs": [tensor(size, (2, 2)), tensor(9, (1,), "BYTES", name="S")]},
        ROWS.tobytes(),
        (5).to_bytes(4, "little") + "grün".encode(),
    )
    kept = bytes(shift) + body
    for _ in range(4):
        feeds = model.decode(memoryview(kept)[shift:], head).feeds
        assert feeds["X"].flags.aligned
        np.testing.assert_array_equal(feeds["X"], ROWS)
        assert feeds["S"].tolist() == ["grün"]
