"""The v2 codec: tensors it preserves, and requests it rejects, with messages."""

import json
import tracemalloc

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tensors import arrays, unhurried

from perennial_runtime.errors import BadRequestError
from perennial_runtime.protocol.shared.infer_request import InferRequest
from perennial_runtime.protocol.v2.codec import V2Codec
from perennial_runtime.signature import TensorSpec


def codec(*inputs: TensorSpec) -> V2Codec:
    return V2Codec("m", "v", inputs, inputs)


def body(*tensors, **more) -> bytes:
    return orjson.dumps({"inputs": list(tensors), **more})


def tensor(data, shape, datatype="FP32", name="X"):
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


@unhurried
@given(arrays(), st.booleans(), st.booleans())
def test_json_preserves_every_tensor(case, nested, any_extent):
    datatype, array = case
    spec = TensorSpec("X", datatype, (-1,) * array.ndim if any_extent else array.shape)
    data = array if nested and array.ndim else array.reshape(-1)
    values = [null_for_nan(value) for value in data.tolist()]
    request = codec(spec).decode(body(tensor(values, list(array.shape), datatype)))
    decoded = request.feeds["X"]
    assert decoded.dtype == array.dtype
    assert decoded.shape == array.shape
    np.testing.assert_array_equal(decoded, array)

    response = orjson.loads(codec(spec).encode(request, [decoded])[0])
    assert response["model_name"] == "m"
    (output,) = response["outputs"]
    assert output["shape"] == list(array.shape)
    again = codec(spec).decode(body(output)).feeds["X"]
    np.testing.assert_array_equal(again, array)


def null_for_nan(value):
    if isinstance(value, list):
        return [null_for_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value


X = TensorSpec("X", "FP32", (-1, 2))


@unhurried
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_data_is_either_read_or_rejected_with_the_name(data):
    try:
        codec(X).decode(body(tensor(data, [1, 2])))
    except BadRequestError as error:
        assert "input 'X': data" in str(error)  # noqa: PT017


@unhurried
@given(st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["inputs", "outputs", "id", "name", "shape", "data", "datatype"]), inner
    ),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_body_is_either_read_or_rejected(data):
    try:
        codec(X).decode(data)
    except BadRequestError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        (b"{", "body: expected JSON, got an error"),
        (b"[]", "body: expected an object, got []"),
        (b"{}", "inputs: expected an array of tensors, got nothing"),
        (body(), "inputs: expected 'X', 'X' missing"),
        (body(tensor([1, 2], [1, 2], name="Z")), "inputs: expected tensors named 'X', got \"Z\""),
        (body(tensor([1, 2], [1, 2]), tensor([1, 2], [1, 2])), "input 'X': expected once"),
        (body(tensor([1, 2], [1, 2], "FP64")), 'datatype: expected FP32, got "FP64"'),
        (body(tensor([1, 2], [2])), "shape: expected [-1,2]"),
        (body(tensor([1, 2], [1, 3])), "shape: expected [-1,2] (-1: any extent), got [1,3]"),
        (body(tensor([1, 2], [-1, 2])), "shape: expected [-1,2]"),
        (body(tensor([1, 2], [True, 2])), "shape: expected [-1,2]"),
        (body(tensor([], [0, 2**40])), "shape: expected [-1,2]"),
        (body(tensor([1, 2, 3], [1, 2])), "expected 2 elements for the shape [1, 2], got 3"),
        (
            body(tensor([[1], [2]], [1, 2])),
            "nested as [1, 2]: lists of 1 in dimension 0, got 2 of them",
        ),
        (
            body(tensor([[1, 2], [3]], [2, 2])),
            "nested as [2, 2]: lists of 2 in dimension 1, got 1 of them",
        ),
        (
            body(tensor(["a", 1], [1, 2])),
            "input 'X': data: element 0: expected a number, got \"a\"",
        ),
        (body(tensor([True, False], [1, 2])), "expected a number, got true"),
        (body(tensor([{}, 1], [1, 2])), "expected a number, got {}"),
        (body(tensor([1e300, 1], [1, 2])), "expected a number within FP32's range"),
        (
            body({"name": "X", "datatype": "FP32", "shape": [1, 2]}),
            "or binary_data_size, got nothing",
        ),
        (body(tensor([1, 2], [1, 2]), outputs=[{"name": "Q"}]), "outputs: expected some of 'X'"),
        (body(tensor([1, 2], [1, 2]), outputs=[]), None),
        (body(tensor([1, 2], [1, 2]), outputs="X"), "outputs: expected an array"),
        (body(tensor([1, 2], [1, 2]), id=7), "id: expected a string, got 7"),
    ],
)
def test_an_invalid_request_reports_the_expected_value(request_body, message):
    if message is None:
        codec(X).decode(request_body)
        return
    with pytest.raises(BadRequestError) as caught:
        codec(X).decode(request_body)
    assert message in str(caught.value).replace("[-1, 2]", "[-1,2]")


@pytest.mark.parametrize(
    ("datatype", "data", "message"),
    [
        ("INT8", [1, 300], "element 1: expected a whole number within INT8's range, got 300"),
        ("UINT8", [1, -1], "element 1: expected a whole number from 0 up within UINT8's range"),
        ("INT64", [1, 1.5], "element 1: expected a whole number, got 1.5"),
        ("INT64", [2**63, 1], "element 0: expected a whole number within INT64's range"),
        ("INT32", [None, 1], "element 0: expected a whole number, got nothing"),
        ("UINT64", ["1", "2"], 'element 0: expected a whole number from 0 up, got "1"'),
        ("BOOL", [0, 1], "element 0: expected a boolean, got 0"),
        ("INT8", [1, True], "element 1: expected a whole number, got true"),
        ("FP32", [1.5, False], "element 1: expected a number, got false"),
        ("BYTES", ["a", None], "element 1: expected a string, got null"),
        ("BYTES", ["a", 1], "element 1: expected a string, got 1"),
        ("FP16", [70000, 1], "element 0: expected a number within FP16's range"),
    ],
)
def test_data_of_another_kind_is_rejected(datatype, data, message):
    with pytest.raises(BadRequestError) as caught:
        codec(TensorSpec("X", datatype, (2,))).decode(body(tensor(data, [2], datatype)))
    assert f"input 'X': data: {message}" in str(caught.value)


def test_one_long_text_among_numbers_needs_only_its_own_memory():
    # An array with room for it in each element would take gigabytes.
    data = [1.0] * 20_000 + ["x" * 20_000]
    request = body(tensor(data, [len(data)]))
    tracemalloc.start()
    try:
        with pytest.raises(BadRequestError, match="element 20000: expected a number"):
            codec(TensorSpec("X", "FP32", (-1,))).decode(request)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_the_id_and_the_requested_outputs_are_kept():
    two = V2Codec("m", "v", [X], [TensorSpec("A", "FP32", (-1,)), TensorSpec("B", "BOOL", (-1,))])
    request = two.decode(body(tensor([1, 2], [1, 2]), id="42", outputs=[{"name": "B"}]))
    assert list(request.outputs) == ["B"]
    response = orjson.loads(two.encode(request, [np.array([True])])[0])
    assert response == {
        "model_name": "m",
        "model_version": "v",
        "id": "42",
        "outputs": [{"name": "B", "datatype": "BOOL", "shape": [1], "data": [True]}],
    }


def test_a_result_that_is_not_contiguous_is_written_in_row_major_order():
    spec = TensorSpec("X", "INT64", (-1, -1))
    request = InferRequest({}, ["X"], None)
    array = np.arange(6, dtype=np.int64).reshape(2, 3).T
    response = orjson.loads(codec(spec).encode(request, [array])[0])
    assert response["outputs"][0]["data"] == [0, 3, 1, 4, 2, 5]
    strided = np.arange(6, dtype=np.int64)[::-2]
    response = orjson.loads(codec(spec).encode(request, [strided])[0])
    assert response["outputs"][0]["data"] == [5, 3, 1]
