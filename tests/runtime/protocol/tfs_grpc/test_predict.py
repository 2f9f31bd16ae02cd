"""PredictionService.Predict, with messages of TensorFlow Serving's own client."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tensorflow_arrays import ARRAYS
from support.tensorflow_messages import MESSAGES
from support.typed_arrays import tensors

from perennial_runtime.errors import BadRequestError, NotFoundError, RequestError
from perennial_runtime.protocol.shared.protobuf import to_bytes
from perennial_runtime.protocol.shared.tensorflow import DATA_TYPES
from perennial_runtime.protocol.tfs_grpc.predict import PredictionCodec, PredictionRequest
from perennial_runtime.protocol.tfs_grpc.schema import message_class
from perennial_runtime.signature import TensorSpec

Request = message_class("tensorflow.serving.PredictRequest")
Response = message_class("tensorflow.serving.PredictResponse")

TABLE = (
    TensorSpec("amount", "FP32", (-1, 1)),
    TensorSpec("carrier", "BYTES", (-1, 1)),
    TensorSpec("seats", "INT64", (-1,)),
)
X = TensorSpec("x", "FP32", (-1, 2))
Y, Z = TensorSpec("y", "FP32", (-1, 1)), TensorSpec("z", "INT64", (-1,))


def codec(*inputs, outputs=(Y, Z)) -> PredictionCodec:
    return PredictionCodec("m", inputs, outputs)


def request(**inputs):
    """Build a message with a tensor for each name, from the fields of its TensorProto."""
    message = Request()
    message.model_spec.name = "m"
    for name, fields in inputs.items():
        tensor = message.inputs[name]
        for extent in fields.pop("shape", ()):
            tensor.tensor_shape.dim.add(size=extent)
        tensor.MergeFrom(type(tensor)(**fields))
    return message


def decoded(message, *inputs):
    return codec(*inputs).decode(to_bytes(message)).feeds


def same(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("datatype", ARRAYS)
@pytest.mark.parametrize("suffix", ["", "_typed"])
def test_every_type_of_the_client_is_read(datatype, suffix):
    expected = ARRAYS[datatype]
    spec = TensorSpec("x", datatype, (-1, -1))
    same(codec(spec).decode(MESSAGES[f"predict_{datatype}{suffix}"]).feeds["x"], expected)


@pytest.mark.parametrize("datatype", ARRAYS)
def test_every_type_is_written_like_tensorflow_serving(datatype):
    spec = TensorSpec("y", datatype, (-1, -1))
    message = codec(X, outputs=(spec,)).encode(PredictionRequest({}, ["y"]), [ARRAYS[datatype]])
    expected = Response.FromString(MESSAGES[f"predicted_{datatype}"])
    # Compared as bytes, as a NaN does not equal itself.
    assert to_bytes(Response.FromString(message)) == to_bytes(expected)


@given(tensors())
def test_messages_preserve_every_tensor(case):
    datatype, array = case
    spec = TensorSpec("x", datatype, (-1,) * array.ndim)
    translator = codec(spec, outputs=(spec,))
    message = translator.encode(PredictionRequest({}, ["x"]), [array])
    sent = Request()
    sent.model_spec.name = "m"
    sent.inputs["x"].CopyFrom(Response.FromString(message).outputs["x"])
    same(translator.decode(to_bytes(sent)).feeds["x"], array)
    if datatype == "BYTES":
        return
    content = request(
        x={
            "dtype": DATA_TYPES[datatype],
            "shape": array.shape,
            "tensor_content": array.tobytes(),
        }
    )
    same(decoded(content, spec)["x"], array)


def test_a_table_is_read_together_and_keeps_its_columns():
    request = codec(*TABLE).decode(MESSAGES["predict_table"])
    assert {name: values.tolist() for name, values in request.feeds.items()} == {
        "amount": [[1.5]],
        "carrier": [["AA"]],
        "seats": [3],
    }
    assert [request.feeds[spec.name].dtype for spec in TABLE] == [spec.dtype for spec in TABLE]
    assert list(request.outputs) == ["y"]


FLOATS = {"dtype": DATA_TYPES["FP32"], "shape": [2, 1], "float_val": [1, 2]}
INTEGERS = {"dtype": DATA_TYPES["INT64"], "shape": [2], "int64_val": [3, 4]}
TEXTS = {"dtype": DATA_TYPES["BYTES"], "shape": [2, 1], "string_val": [b"AA", b""]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"amount": {"shape": [2]}},
        {"seats": {"shape": [2, 1]}},
        {"seats": {"int64_val": [], "tensor_content": np.array([3, 4]).tobytes()}},
        {"amount": {"float_val": [], "tensor_content": np.array([1, 2], np.float32).tobytes()}},
    ],
)
def test_a_table_may_have_columns_of_both_shapes(changes):
    inputs = {"amount": FLOATS, "carrier": TEXTS, "seats": INTEGERS}
    sent = {name: {**fields, **changes.get(name, {})} for name, fields in inputs.items()}
    found = decoded(request(**sent), *TABLE)
    assert {name: values.tolist() for name, values in found.items()} == {
        "amount": [[1.0], [2.0]],
        "carrier": [["AA"], [""]],
        "seats": [3, 4],
    }


def test_half_precision_features_are_read_from_their_bits():
    half = TensorSpec("h", "FP16", (-1, 1))
    bits = np.array([1.5, -2], np.float16).view(np.uint16).tolist()
    sent = request(h={"dtype": DATA_TYPES["FP16"], "shape": [2, 1], "half_val": bits})
    same(decoded(sent, half)["h"], np.array([[1.5], [-2]], np.float16))


def test_the_last_value_fills_the_rest():
    found = codec(TABLE[0]).decode(MESSAGES["predict_filled"]).feeds["amount"]
    same(found, np.array([[2.5], [2.5], [2.5]], np.float32))
    sent = request(x={**FLOATS, "shape": [3, 2], "float_val": [1, 2, 3]})
    same(decoded(sent, X)["x"], np.array([[1, 2], [3, 3], [3, 3]], np.float32))


def test_outputs_have_the_order_of_the_request():
    sent = request(x={**FLOATS, "shape": [1, 2]})
    assert list(codec(X).decode(to_bytes(sent)).outputs) == ["y", "z"]
    sent.output_filter.extend(["z", "y"])
    read = codec(X).decode(to_bytes(sent))
    assert list(read.outputs) == ["z", "y"]
    answer = codec(X).encode(read, [np.array([7]), np.array([[0.5]], np.float32)])
    response = Response.FromString(answer)
    assert list(response.outputs["z"].int64_val) == [7]
    assert list(response.outputs["y"].float_val) == [0.5]
    assert response.model_spec.name == "m"
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "serving_default"


def test_a_result_that_is_not_contiguous_is_written_in_row_major_order():
    spec = TensorSpec("y", "FP32", (-1, -1))
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    translator = codec(X, outputs=(spec,))
    response = Response.FromString(translator.encode(PredictionRequest({}, ["y"]), [array]))
    assert list(response.outputs["y"].float_val) == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize(
    ("spec", "tensor", "message"),
    [
        (X, {**FLOATS, "shape": [1, 2], "dtype": 2}, "dtype: expected DT_FLOAT, got DT_DOUBLE"),
        (X, {**FLOATS, "shape": [1, 2], "dtype": 8}, "dtype: expected DT_FLOAT, got number 8"),
        (X, {**FLOATS, "shape": [1, 2], "dtype": 0}, "dtype: expected DT_FLOAT, got none"),
        (X, {**FLOATS, "shape": [2]}, "tensor_shape: expected [-1, 2] (-1: any extent), got [2]"),
        (X, {**FLOATS, "shape": [2, 1]}, "got [2,1]"),
        (X, {**FLOATS, "shape": [-1, 2]}, "got [-1,2]"),
        (X, {**FLOATS, "shape": [2**40, 2]}, "got [1099511627776,2]"),
        (X, {**FLOATS, "shape": [1, 2], "float_val": [1, 2, 3]}, "float_val: expected 2 values, "
                                                                 "or the first of them, got 3"),
        (X, {**FLOATS, "shape": [1, 2], "float_val": []}, "got 0. Fix: send FP32 values in "
                                                          "float_val"),
        (X, {**FLOATS, "shape": [2**30, 2]}, "expected all 2147483648 values"),
        (X, {**FLOATS, "shape": [1, 2], "tensor_content": b"1234567"}, "tensor_content: expected 8 "
                                                                       "bytes, 4 for each of 2 "),
        (X, {**FLOATS, "shape": [0, 2], "tensor_content": b"1234"}, "expected 0 bytes"),
        (TensorSpec("x", "FP32", (-1, -1, -1)),
         {"dtype": 1, "shape": [0, 2**31 - 1, 2**31 - 1]}, "got [0,2147483647,2147483647]"),
        (TensorSpec("x", "BOOL", (-1,)),
         {"dtype": 10, "shape": [2], "tensor_content": b"\1\2"}, "bytes of 0 and 1, got 2"),
        (TensorSpec("x", "BYTES", (-1,)),
         {"dtype": 7, "shape": [2], "tensor_content": b"\1\1ab"}, "the strings in string_val"),
        (TensorSpec("x", "BYTES", (-1, 2)),
         {"dtype": 7, "shape": [1, 2], "string_val": [b"a", b"\xff"]}, "val: expected UTF-8"),
        (TensorSpec("x", "BYTES", (-1,)),
         {"dtype": 7, "shape": [2], "string_val": [b"a", b"\xff"]}, "val: expected UTF-8"),
        (TensorSpec("x", "INT8", (-1, 2)),
         {"dtype": 6, "shape": [1, 2], "int_val": [1, 300]}, "expected values within INT8"),
        (TensorSpec("x", "INT8", (-1,)),
         {"dtype": 6, "shape": [2], "int_val": [1, 300]}, "row 1: feature 'x': expected a whole"),
        (TensorSpec("x", "FP16", (-1,)),
         {"dtype": 19, "shape": [2], "half_val": [1, -1]}, "half_val: expected values within 16"),
    ],
)  # fmt: skip
def test_an_invalid_tensor_reports_the_expected_value(spec, tensor, message):
    with pytest.raises(BadRequestError) as caught:
        decoded(request(x=dict(tensor)), spec)
    assert "'x': " in str(caught.value)
    assert message in str(caught.value)


def test_an_unknown_rank_is_rejected():
    sent = request(x={**FLOATS, "shape": []})
    sent.inputs["x"].tensor_shape.unknown_rank = True
    for shape in ((-1, 2), (-1, 1), (-1,), ()):
        with pytest.raises(BadRequestError, match="got an unknown rank"):
            decoded(sent, TensorSpec("x", "FP32", shape))


def test_other_inputs_models_versions_and_signatures_are_rejected():
    good = {**FLOATS, "shape": [1, 2]}

    def refused(kind, message, sent):
        with pytest.raises(kind, match=message):
            codec(X).decode(to_bytes(sent))

    refused(BadRequestError, "inputs: expected 'x', got none", request())
    refused(BadRequestError, "inputs: expected 'x', got 'a'", request(a=dict(good)))
    refused(BadRequestError, "got 'a', 'x'", request(a=dict(good), x=dict(good)))
    for names in (["q"], ["y", "y"]):
        sent = request(x=dict(good))
        sent.output_filter.extend(names)
        refused(BadRequestError, "output_filter: expected some of 'y', 'z', each once", sent)
    sent = request(x=dict(good))
    sent.model_spec.name = "other"
    refused(NotFoundError, "model_spec.name: expected 'm', got 'other'", sent)
    sent = request(x=dict(good))
    sent.model_spec.version.value = 2
    refused(NotFoundError, "model_spec.version: expected 1, got 2", sent)
    sent = request(x=dict(good))
    sent.model_spec.version_label = "canary"
    refused(BadRequestError, "model_spec.version_label: expected none", sent)
    sent = request(x=dict(good))
    sent.model_spec.signature_name = "other"
    refused(BadRequestError, 'signature_name: expected none or "serving_default"', sent)
    with pytest.raises(
        BadRequestError, match=r"expected tensorflow\.serving\.PredictRequest, got 2"
    ):
        codec(X).decode(b"\xff\xff")


CODECS = (
    codec(X),
    codec(*TABLE),
    codec(TensorSpec("x", "BYTES", (-1, -1))),
    codec(TensorSpec("x", "BOOL", (-1, -1))),
    codec(TensorSpec("x", "FP16", (-1, -1))),
)


@given(
    st.sampled_from(CODECS),
    st.sampled_from([MESSAGES[f"predict_{name}"] for name in ("FP32", "table", "BYTES", "BOOL",
                                                              "FP16_typed", "filled")]),
    st.lists(st.tuples(st.integers(0, 110), st.binary(max_size=2))),
)  # fmt: skip
def test_a_garbled_message_is_either_read_or_rejected(translator, message, changes):
    for index, data in changes:
        message = message[:index] + data + message[index + 1 :]
    try:
        read = translator.decode(message)
    except RequestError as error:
        assert str(error)  # noqa: PT017
    else:
        assert all(isinstance(array, np.ndarray) for array in read.feeds.values())


@given(
    st.lists(st.integers(-2, 2**62), max_size=4),
    st.lists(st.floats(width=32), max_size=4),
    st.binary(max_size=8),
    st.integers(0, 24),
)
def test_any_tensor_is_either_read_or_rejected(shape, values, content, dtype):
    for spec in (X, TensorSpec("x", "FP32", (-1,) * len(shape)), TensorSpec("x", "BOOL", (-1,))):
        fields = {"dtype": dtype, "float_val": values, "tensor_content": content}
        try:
            array = decoded(request(x={**fields, "shape": shape}), spec)["x"]
        except BadRequestError as error:
            assert "input 'x': " in str(error)  # noqa: PT017
        else:
            assert array.dtype == spec.dtype
            assert array.ndim == len(spec.shape)
