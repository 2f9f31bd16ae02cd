"""TensorFlow Serving's and KServe's ``:predict``, without a server."""

import base64
import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.typed_arrays import any_json, tensors

from perennial_runtime.classes import Classes
from perennial_runtime.errors import BadRequestError, RequestError
from perennial_runtime.protocol.v1.predict import PredictCodec, PredictRequest
from perennial_runtime.signature import TensorSpec

X = TensorSpec("x", "FP32", (-1, 2))
TAG, SIGNAL, SENSOR = (
    TensorSpec("tag", "BYTES", (-1,)),
    TensorSpec("signal", "INT64", (-1, 5)),
    TensorSpec("sensor", "FP32", (-1, 2, 2)),
)
TABLE = (
    TensorSpec("amount", "FP32", (-1, 1)),
    TensorSpec("carrier", "BYTES", (-1, 1)),
    TensorSpec("seats", "INT64", (-1,)),
)
Y = TensorSpec("y", "FP32", (-1, 1))
LABEL, PROBABILITIES = (
    TensorSpec("label", "INT64", (-1,)),
    TensorSpec("probabilities", "FP32", (-1, 2)),
)


def codec(*inputs, outputs=(Y,), classes=None) -> PredictCodec:
    return PredictCodec("m", inputs, outputs, classes)


def feeds(body, *inputs):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return codec(*inputs).decode(data).feeds


def answer(outputs, results, *, has_rows=True, classes=None):
    request = PredictRequest({}, tuple(spec.name for spec in outputs), has_rows)
    return codec(X, outputs=outputs, classes=classes).encode(request, results)


@given(tensors(), st.booleans(), st.booleans())
def test_json_preserves_every_tensor(case, named, any_extent):
    datatype, array = case
    # Empty lists do not say how long the lists in them would be.
    is_free = any_extent and array.size > 0
    spec = TensorSpec("x", datatype, (-1,) * array.ndim if is_free else array.shape)
    data = {"x": array.tolist()} if named else array.tolist()
    translator = codec(spec, outputs=(spec,))
    request = translator.decode(json.dumps({"inputs": data}).encode())
    same(request.feeds["x"], array)

    body = translator.encode(request, [request.feeds["x"]])
    (outputs,) = json.loads(body).values()
    again = translator.decode(json.dumps({"inputs": outputs}).encode())
    same(again.feeds["x"], array)


@given(tensors(least_extent=1), st.booleans())
def test_rows_preserve_every_tensor(case, named):
    datatype, array = case
    rows = np.atleast_1d(array)
    spec = TensorSpec("x", datatype, (-1, *rows.shape[1:]))
    translator = codec(spec, outputs=(spec,))
    instances = [{"x": row} if named else row for row in rows.tolist()]
    request = translator.decode(json.dumps({"instances": instances}).encode())
    same(request.feeds["x"], rows)

    predictions = json.loads(translator.encode(request, [request.feeds["x"]]))["predictions"]
    same(feeds({"instances": predictions}, spec)["x"], rows)


def same(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def test_several_inputs_may_be_objects_or_columns():
    rows = [
        {"tag": "foo", "signal": [1, 2, 3, 4, 5], "sensor": [[1, 2], [3, 4]]},
        {"tag": "bar", "signal": [3, 4, 1, 2, 5], "sensor": [[4, 5], [6, 8]]},
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for body in ({"instances": rows}, {"inputs": columns}):
        found = feeds(body, TAG, SIGNAL, SENSOR)
        assert found["tag"].tolist() == ["foo", "bar"]
        assert found["signal"].tolist() == columns["signal"]
        assert found["sensor"].tolist() == columns["sensor"]
        assert found["signal"].dtype == np.int64
        assert found["sensor"].dtype == np.float32


def test_a_table_takes_rows_as_objects_lists_or_columns():
    expected = {"amount": [[2.5], [3.0]], "carrier": [["AA"], ["BB"]], "seats": [3, 4]}
    objects = [
        {"amount": 2.5, "carrier": "AA", "seats": 3},
        {"seats": 4, "carrier": "BB", "amount": 3},
    ]
    for body in (
        {"instances": objects},
        {"instances": [{name: [value] for name, value in row.items()} for row in objects]},
        {"instances": [[2.5, "AA", 3], [3, "BB", 4]]},
        {"instances": [[[2.5], ["AA"], 3], [[3], "BB", [4]]]},
        {"inputs": {"amount": [2.5, 3], "carrier": ["AA", "BB"], "seats": [3, 4]}},
        {"inputs": {"amount": [[2.5], [3]], "carrier": ["AA", "BB"], "seats": [[3], [4]]}},
    ):
        found = feeds(body, *TABLE)
        assert {name: values.tolist() for name, values in found.items()} == expected


@given(st.lists(st.tuples(st.integers(-9, 9), st.text(), st.integers()), min_size=1, max_size=4))
def test_all_forms_of_a_table_are_equivalent(rows):
    seats = TensorSpec("seats", "FP64", (-1,))
    inputs = (*TABLE[:2], seats)
    names = [spec.name for spec in inputs]
    ways = [
        {"instances": [dict(zip(names, row, strict=True)) for row in rows]},
        {"instances": [list(row) for row in rows]},
        {"inputs": dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))},
    ]
    first, *others = (
        {name: (values.dtype, values.tolist()) for name, values in feeds(way, *inputs).items()}
        for way in ways
    )
    for other in others:
        assert other == first


def test_a_table_of_one_feature_takes_bare_values_and_rows():
    amount = TABLE[0]
    for instances in ([1, 2], [[1], [2]], [{"amount": 1}, {"amount": [2]}]):
        assert feeds({"instances": instances}, amount)["amount"].tolist() == [[1.0], [2.0]]


def test_a_missing_value_of_a_table_is_null_or_nan_or_left_out():
    for row in ('{"seats": 1}', '{"seats": 1, "amount": NaN, "carrier": null}', "[null, null, 1]"):
        found = feeds(b'{"instances": [%s]}' % row.encode(), *TABLE)
        assert np.isnan(found["amount"]).tolist() == [[True]]
        assert found["carrier"].tolist() == [[""]]


def test_tokens_of_numbers_that_are_not_finite_are_read_and_written():
    body = b'{"instances": [[NaN, Infinity], [-Infinity, 1e3]], "comment": "NaN null \\""}'
    found = feeds(body, X)["x"]
    np.testing.assert_array_equal(found, np.array([[np.nan, np.inf], [-np.inf, 1e3]], np.float32))
    assert answer((Y,), [found]) == b'{"predictions":[[NaN,Infinity],[-Infinity,1000.0]]}'
    name = TensorSpec('n"ull', "BYTES", (-1,))
    body = answer((name, Y), [np.array(["null", 'a"null'], object), np.array([np.nan, -np.inf])])
    assert json.loads(body)["predictions"][1] == {'n"ull': 'a"null', "y": -np.inf}
    assert np.isnan(json.loads(body)["predictions"][0]["y"])


def test_strings_may_be_base64_both_ways():
    text, data = TensorSpec("text", "BYTES", (-1,)), TensorSpec("text_bytes", "BYTES", (-1,))
    encoded = base64.b64encode("né".encode()).decode()
    for value in ({"b64": encoded}, {"b64": encoded.rstrip("=")}, "né"):
        assert feeds({"instances": [value]}, text)["text"].tolist() == ["né"]
        assert feeds({"inputs": [value]}, text)["text"].tolist() == ["né"]
        row = {"amount": 1, "carrier": value, "seats": 1}
        assert feeds({"instances": [row]}, *TABLE)["carrier"].tolist() == [["né"]]
        assert feeds({"instances": [list(row.values())]}, *TABLE)["carrier"].tolist() == [["né"]]
    results = [np.array(["né"], object)] * 2
    assert json.loads(answer((text, data), results))["predictions"] == [
        {"text": "né", "text_bytes": {"b64": encoded}}
    ]
    assert json.loads(answer((data,), results[:1], has_rows=False)) == {
        "outputs": [{"b64": encoded}]
    }


def test_one_output_drops_its_name_and_several_keep_theirs():
    one, two = np.array([[1.5], [2]], np.float32), np.array([7, 8])
    assert answer((Y,), [one]) == b'{"predictions":[[1.5],[2.0]]}'
    assert answer((Y,), [one], has_rows=False) == b'{"outputs":[[1.5],[2.0]]}'
    assert json.loads(answer((Y, LABEL), [one, two])) == {
        "predictions": [{"y": [1.5], "label": 7}, {"y": [2.0], "label": 8}]
    }
    assert json.loads(answer((Y, LABEL), [one, two], has_rows=False)) == {
        "outputs": {"y": [[1.5], [2.0]], "label": [7, 8]}
    }


def test_float32_numbers_have_no_superfluous_digits():
    assert answer((Y,), [np.array([[0.1]], np.float32)]) == b'{"predictions":[[0.1]]}'


def test_results_without_rows_or_contiguous_memory_are_written_unchanged():
    assert answer((Y,), [np.array(2.5, np.float32)], has_rows=False) == b'{"outputs":2.5}'
    turned = np.arange(6, dtype=np.int64).reshape(2, 3).T
    assert answer((Y,), [turned]) == b'{"predictions":[[0,3],[1,4],[2,5]]}'


def test_a_class_index_becomes_the_class_name():
    classes = Classes(("early", "late"), 1, are_numbered=True)
    results = [np.array([1]), np.array([[0.25, 0.75]], np.float32)]
    body = answer((LABEL, PROBABILITIES), results, classes=classes)
    assert json.loads(body)["predictions"] == [{"label": "late", "probabilities": [0.25, 0.75]}]


@pytest.mark.parametrize("name", ["", "serving_default"])
def test_the_default_signature_may_be_named(name):
    assert feeds({"signature_name": name, "instances": [[1, 2]]}, X)["x"].shape == (1, 2)


def test_outputs_without_a_row_for_each_instance_are_an_error_only_for_rows():
    for results in (
        [np.zeros((2, 1)), np.zeros(3)],
        [np.array(1.0), np.zeros(1)],
    ):
        with pytest.raises(BadRequestError) as caught:
            answer((Y, LABEL), results)
        assert "'y' [" in str(caught.value)
        assert 'Fix: send whole tensors: {"inputs": ...}' in str(caught.value)
        assert answer((Y, LABEL), results, has_rows=False)


TWO = (TensorSpec("a", "FP32", (-1, 2)), TensorSpec("b", "INT8", (-1,)))


@pytest.mark.parametrize(
    ("inputs", "body", "message"),
    [
        ((X,), b"{", "body: expected JSON, got an error"),
        ((X,), b'{"instances": [NaN', "body: expected JSON, got an error"),
        ((X,), b'{"instances": [NaN, "\\ud800"]}', "body: expected JSON, got an error"),
        ((X,), b"[" * 100_000 + b"NaN", "body: expected JSON, got an error"),
        ((X,), b"NaN" + b"9" * 5000, "body: expected JSON, got an error"),
        ((X,), b"[NaN, " + b"9" * 5000 + b"]", "body: expected JSON, got an error"),
        ((X,), b"[]", "body: expected an object, got []"),
        ((X,), b"{}", "got neither"),
        ((X,), b'{"inputs": [], "instances": []}', "got both"),
        ((X,), b'{"instances": []}', "instances: expected a list of one row or more, got []"),
        ((X,), b'{"instances": {"x": 1}}', "instances: expected a list"),
        ((X,), b'{"instances": [[1, 2]], "signature_name": "other"}', 'none or "serving_default"'),
        ((X,), b'{"instances": [[1, 2]], "signature_name": 7}', "signature_name: expected none"),
        ((X,), b'{"instances": [1, 2]}', "(-1: any extent), got 1 in place of a list in dim"),
        ((X,), b'{"instances": [[1, 2, 3]]}', "input 'x': expected lists nested in the shape "
                                              "[-1, 2] (-1: any extent), got 3 values in "
                                              "dimension 1"),
        ((X,), b'{"instances": [[1, 2], [1]]}', "got lists of 1 and of 2 values"),
        ((X,), b'{"instances": [[1, [2]]]}', "got a list in place of a value: [2]"),
        ((X,), b'{"instances": [[1, 2], [1, "2"]]}', "'x': [1, 1]: expected a number, got \"2\""),
        ((X,), b'{"instances": [[1, 1e39]]}', "[0, 1]: expected a number within FP32's range"),
        ((X,), b'{"instances": [{"x": [1, 2]}, [1, 2]]}', "row 1: expected an object with 'x', "
                                                          "got [1,2]"),
        ((X,), b'{"instances": [{"z": [1, 2]}]}', "expected an object with 'x', got one with 'z'"),
        ((X,), b'{"inputs": [{"name": "x", "datatype": "FP32"}]}', "/v2/models/m/infer"),
        ((X,), b'{"inputs": {"b64": "AAAA"}}', "in place of a list in dimension 0"),
        (TWO, b'{"instances": [[1, 2]]}', "expected an object with 'a', 'b', got [1,2]"),
        (TWO, b'{"instances": [{"a": [1, 2]}]}', "got one with 'a'"),
        (TWO, b'{"inputs": {"a": [1, 2]}}', "inputs: expected an object with 'a', 'b', got one"),
        (TWO, b'{"inputs": [{"name": "a", "datatype": "FP32"}]}', "/v2/models/m/infer"),
        (TWO, b'{"inputs": {"a": [[1, 2]], "b": [300]}}', "input 'b': [0]: expected a whole "
                                                          "number within INT8's range, got 300"),
        (TWO, b'{"inputs": {"a": [[1, 2]], "b": [1.5]}}', "expected a whole number, got 1.5"),
        (TWO, b'{"inputs": {"a": [[1, 2]], "b": [NaN]}}', "expected a whole number, got nan"),
        (TWO, b'{"inputs": {"a": [[1, true]], "b": [1]}}', "expected a number, got true"),
        (TABLE, b'{"instances": [{"seats": 1, "amout": 1}]}', "Did you mean 'amount'?"),
        (TABLE, b'{"instances": [{"seats": "1"}]}', "row 0: feature 'seats': expected a whole"),
        (TABLE, b'{"instances": [{"seats": [1, 2]}]}', "expected a whole number, got [1,2]"),
        (TABLE, b'{"instances": [{"seats": ' + b"[" * 1000 + b"]" * 1000 + b"}]}", "too deeply"),
        (TABLE, b'{"instances": [{"seats": 1}, 7]}', "row 1: expected an object, got 7"),
        (TABLE, b'{"instances": [{"carrier": {"b64": "%"}, "seats": 1}]}', "'carrier': b64: exp"),
        (TABLE, b'{"instances": [[1, "a"]]}', "row 0: expected a list of 3 values, in the order "
                                              "'amount', 'carrier', 'seats', got 2 values"),
        (TABLE, b'{"instances": [7]}', "row 0: expected a list of 3 values"),
        (TABLE, b'{"instances": [[1, "a", 2], [1, 5, 3]]}', "row 1: feature 'carrier': expected a"),
        (TABLE, b'{"inputs": {"amount": [1], "carrier": ["a"], "seats": ["b"]}}',
         "input 'seats': [0]: expected a whole number, got \"b\""),
        (TABLE, b'{"inputs": {"amount": [[1, 2]], "carrier": ["a"], "seats": [1]}}', "'amount'"),
        (TABLE, b'{"inputs": {"amount": 1, "carrier": "a", "seats": 1}}', "in place of a list"),
        ((TAG,), b'{"instances": [{"b64": "/w=="}]}', "strings of ONNX models are text"),
    ],
)  # fmt: skip
def test_an_invalid_request_reports_the_expected_value(inputs, body, message):
    with pytest.raises(BadRequestError) as caught:
        codec(*inputs).decode(body)
    assert message in str(caught.value)
    assert orjson.loads(caught.value.body())["error"]


@given(
    st.sampled_from([(X,), TWO, TABLE, TABLE[:1], (TAG, SIGNAL, SENSOR)]),
    any_json("instances", "inputs", "signature_name", "x", "a", "b", "amount", "carrier", "b64"),
)
def test_any_body_is_either_read_or_rejected(inputs, value):
    for body in (value, {"instances": value}, {"inputs": value}, {"instances": [value]}):
        refused_or_read(codec(*inputs), json.dumps(body).encode())


GOOD = (
    ((X,), b'{"signature_name": "", "instances": [[1, -2.5e3], [NaN, Infinity]]}'),
    (TABLE, b'{"instances": [{"amount": [1.5], "carrier": {"b64": "QQ=="}, "seats": 3}]}'),
    (TABLE, b'{"inputs": {"amount": [1.5], "carrier": ["A"], "seats": [[3]]}}'),
)


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 90), st.binary(max_size=2))))
def test_a_garbled_body_is_either_read_or_rejected(good, changes):
    inputs, body = good
    for index, data in changes:
        body = body[:index] + data + body[index + 1 :]
    refused_or_read(codec(*inputs), body)


def refused_or_read(translator, body):
    try:
        request = translator.decode(body)
    except RequestError as error:
        assert orjson.loads(error.body())["error"]  # noqa: PT017
    else:
        assert all(isinstance(array, np.ndarray) for array in request.feeds.values())
