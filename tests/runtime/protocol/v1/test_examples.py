"""TensorFlow Serving's ``:classify`` and ``:regress`` without a server."""

import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from support.typed_arrays import any_json

from perennial_runtime.classes import Classes
from perennial_runtime.errors import BadRequestError, RequestError, RunFailedError
from perennial_runtime.protocol.v1.examples import ClassifyCodec, RegressCodec
from perennial_runtime.signature import TensorSpec

TABLE = (TensorSpec("amount", "FP32", (-1, 1)), TensorSpec("carrier", "BYTES", (-1,)))
IMAGE = TensorSpec("image", "FP32", (-1, 3, 8, 8))
LABEL, PROBABILITIES = (
    TensorSpec("label", "INT64", (-1,)),
    TensorSpec("probabilities", "FP32", (-1, 2)),
)
Y = TensorSpec("y", "FP32", (-1, 1))
CLASSES = Classes(("early", "late"), 1)

classify = ClassifyCodec("m", TABLE, CLASSES)
regress = RegressCodec("m", TABLE, (Y,))
EXAMPLES = [{"amount": 1, "carrier": "AA"}, {"amount": [2.5], "carrier": {"b64": "QkI="}}]


@pytest.mark.parametrize("codec", [classify, regress])
def test_examples_are_objects_by_feature(codec):
    request = codec.decode(json.dumps({"examples": EXAMPLES}).encode())
    assert request.feeds["amount"].tolist() == [[1.0], [2.5]]
    assert request.feeds["carrier"].tolist() == ["AA", "BB"]
    assert request.count == 2


@pytest.mark.parametrize("codec", [classify, regress])
def test_the_context_applies_to_every_example(codec):
    body = {"context": {"carrier": ["AA"]}, "examples": [{"amount": 1}, {"amount": 2}]}
    request = codec.decode(json.dumps(body).encode())
    assert request.feeds["carrier"].tolist() == ["AA", "AA"]
    body["examples"][1]["carrier"] = "BB"
    with pytest.raises(BadRequestError, match="got 'carrier', which row 1 has too"):
        codec.decode(json.dumps(body).encode())


def test_the_response_has_the_score_of_every_class_for_each_example():
    request = classify.decode(json.dumps({"examples": EXAMPLES}).encode())
    assert list(request.outputs) == ["probabilities"]
    results = [np.array([[0.1, 0.9], [np.nan, 0.25]], np.float32)]
    assert classify.encode(request, results) == (
        b'{"results":[[["early",0.1],["late",0.9]],[["early",NaN],["late",0.25]]]}'
    )


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_the_response_has_a_number_for_each_example(shape):
    request = regress.decode(json.dumps({"examples": EXAMPLES}).encode())
    assert list(request.outputs) == ["y"]
    results = [np.array([0.1, np.inf], np.float32).reshape(shape)]
    assert regress.encode(request, results) == b'{"results":[0.1,Infinity]}'


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        (ClassifyCodec("m", TABLE, None), "the model 'm' is no classifier"),
        (ClassifyCodec("m", (IMAGE,), CLASSES), "'image' [-1, 3, 8, 8]"),
        (RegressCodec("m", TABLE, (LABEL, PROBABILITIES)), "got 'label', 'probabilities'"),
        (RegressCodec("m", TABLE, (TensorSpec("t", "BYTES", (-1,)),)), "got 't'"),
        (RegressCodec("m", (IMAGE,), (Y,)), "does not take examples"),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_names_the_alternative(codec, message):
    with pytest.raises(BadRequestError) as caught:
        codec.decode(json.dumps({"examples": EXAMPLES}).encode())
    assert message in str(caught.value)
    assert str(caught.value).endswith("Fix: use predict")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "examples: expected"),
        ({"examples": []}, "with one example or more, got []"),
        ({"examples": {"amount": 1}}, 'got {"amount":1}'),
        ({"examples": [7]}, "row 0: expected an object, got 7"),
        ({"examples": [7], "context": {"amount": 1}}, "row 0: expected an object, got 7"),
        ({"examples": [{}], "context": [1]}, "context: expected an object by feature, got [1]"),
        ({"examples": [{"amout": 1}]}, "Did you mean 'amount'?"),
        ({"examples": [{"amount": [1, 2]}]}, "feature 'amount': expected a number, got [1,2]"),
        ({"examples": [{}], "signature_name": "x"}, "signature_name: expected none or"),
    ],
)
def test_an_invalid_request_reports_the_expected_value(body, message):
    with pytest.raises(BadRequestError) as caught:
        classify.decode(json.dumps(body).encode())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("codec", "name"),
    [(classify, "tensorflow/serving/classify"), (regress, "tensorflow/serving/regress")],
)
def test_the_signature_may_be_named_after_the_method(codec, name):
    body = {"signature_name": name, "examples": [{"amount": 1}]}
    assert codec.decode(json.dumps(body).encode()).count == 1


def test_results_that_do_not_fit_the_examples_are_an_error():
    request = classify.decode(json.dumps({"examples": EXAMPLES}).encode())
    with pytest.raises(RunFailedError, match=r"expected the shape \[2, 2\]"):
        classify.encode(request, [np.zeros((2, 3), np.float32)])
    with pytest.raises(BadRequestError, match="not one row for each of the 2 examples"):
        regress.encode(request, [np.zeros((3, 1), np.float32)])


@given(any_json("examples", "context", "signature_name", "amount", "carrier", "b64"))
def test_any_body_is_either_read_or_rejected(value):
    for body in (value, {"examples": value}, {"examples": [value], "context": value}):
        for codec in (classify, regress):
            try:
                codec.decode(json.dumps(body).encode())
            except RequestError as error:
                assert orjson.loads(error.body())["error"]  # noqa: PT017
