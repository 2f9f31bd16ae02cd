"""A model of one number for each row, from a client's view."""

import json

import duckdb
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from perennial_contracts.wire.bundle import Bundle, describe_files
from perennial_contracts.wire.counters import Counters
from perennial_runtime.classes import Classes
from perennial_runtime.regression import is_regression, number_label, number_texts
from perennial_runtime.signature import TensorSpec

MODEL = "/v2/models/fares"
SCORE = {"name": "prediction", "edges": [0.0, 10.0], "counts": [5, 5, 5, 0]}


def fares(profile=None):
    """Return a bundle: fare = 2.5 * miles, and missing for missing miles."""
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Mul", ["miles", "rate"], ["prediction"])],
        "g",
        [info("miles", TensorProto.FLOAT, ["N", 1])],
        [info("prediction", TensorProto.FLOAT, ["N", 1])],
        initializer=[numpy_helper.from_array(np.array(2.5, np.float32), "rate")],
    )
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    miles = {"name": "miles", "edges": [1.0], "counts": [7, 8, 0]}
    fields = {"rows": 15, "features": [miles], "score": SCORE, **(profile or {})}
    contents = {
        "model.onnx": model.SerializeToString(),
        "profile.json": json.dumps(fields).encode(),
    }
    manifest = Bundle(files=describe_files(contents))
    return {**contents, "bundle.json": manifest.to_bytes()}


@pytest.fixture
def captured(tmp_path):
    return tmp_path / "captured"


@pytest.fixture
def server(start, write_files, captured):
    return start(write_files(fares()), "--name", "fares", "--capture", str(captured))


def predict(server, *miles):
    rows = [{"miles": each} for each in miles]
    status, body, _ = server.request("POST", f"{MODEL}/predict", {"instances": rows})
    assert status == 200, body
    return body["predictions"]


def feed_back(server, *labels):
    entries = [{"prediction_id": text, "label": label} for text, label in labels]
    return server.request("POST", f"{MODEL}/feedback", {"feedback": entries})[:2]


def counters(server):
    return Counters.model_validate(server.request("GET", f"{MODEL}/counters")[1])


def files(folder, kind, columns):
    return duckdb.sql(f"select {columns} from '{folder}/{kind}/**/*.parquet'").fetchall()


def test_each_row_gets_an_id_and_a_number(server):
    first, second, missing = predict(server, 5, 0.1, None)
    assert set(first) == {"prediction_id", "prediction"}
    assert first["prediction"] == 12.5
    assert second["prediction"] == 0.25
    assert missing["prediction"] is None
    assert first["prediction_id"] != second["prediction_id"]


def test_the_true_label_is_a_number(server):
    (prediction,) = predict(server, 5)
    text = prediction["prediction_id"]
    assert feed_back(server, (text, 12)) == (200, {"accepted": 1, "rejected": []})
    for wrong in ("12.5", True, None, [1]):
        status, body = feed_back(server, (text, wrong))
        assert status == 400
        assert "label: expected a number, got" in body["error"]
    assert counters(server).labels == 1
    assert counters(server).matrix == []


def test_the_numbers_are_counted_over_the_profiles_bins(server):
    predict(server, -1, 0, 3.9, 4, None)
    infer = {"name": "miles", "datatype": "FP32", "shape": [1, 1], "data": [100]}
    assert server.request("POST", f"{MODEL}/infer", {"inputs": [infer]})[0] == 200
    found = counters(server)
    assert found.rows == 6
    assert found.score == [1, 2, 2, 1]
    assert found.label is None
    assert 'perennial_runtime_scores_total{bin=">=10"} 2.0' in server.request("GET", "/metrics")[1]


def test_the_number_and_the_true_label_are_captured(server, captured):
    first, missing = predict(server, 4.8, None)
    feed_back(server, (first["prediction_id"], 11.25))
    server.terminate()
    assert server.exit_code() == 0
    assert files(captured, "predictions", "_prediction_id, _label, _score") == [
        (first["prediction_id"], "12", 12.0),
        (missing["prediction_id"], None, None),
    ]
    assert files(captured, "labels", "_prediction_id, _label") == [
        (first["prediction_id"], "11.25")
    ]


def test_page_and_document_describe_a_regression_model(server):
    page = server.request("GET", "/", accept="text/html")[1]
    assert "Regression model for rows of a table" in page
    assert "predicted, median 0" in page
    schemas = server.request("GET", "/openapi.json")[1]["components"]["schemas"]
    answer = schemas["PredictResponse"]["properties"]["predictions"]["items"]
    assert answer["required"] == ["prediction_id", "prediction"]
    entry = schemas["FeedbackRequest"]["properties"]["feedback"]["items"]
    assert entry["properties"]["label"]["description"] == "The true number."


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ({"label": {**SCORE, "name": "label"}}, "label: expected none"),
        ({"positive": "1"}, "positive: expected none"),
        (
            {"score": {"name": "x", "categories": ["a"], "counts": [1, 0, 0]}},
            "score: expected edges",
        ),
    ],
)
def test_a_profile_of_another_kind_of_model_is_rejected(start, write_files, profile, problem):
    server = start(write_files(fares(profile)), "--name", "fares", wait=False)
    assert server.exit_code() != 0
    assert problem in server.lines[-1]["message"]


def test_only_a_model_with_one_float_column_of_that_name_is_a_regression():
    def outputs(*specs):
        return [TensorSpec(*spec) for spec in specs]

    number = ("prediction", "FP32", (-1, 1))
    assert is_regression(outputs(number), None)
    assert is_regression(outputs(("prediction", "FP64", (-1,))), None)
    assert not is_regression(outputs(number), Classes(("0", "1"), 1))
    assert not is_regression(outputs(number, ("other", "FP32", (-1, 1))), None)
    assert not is_regression(outputs(("variable", "FP32", (-1, 1))), None)
    assert not is_regression(outputs(("prediction", "FP32", (-1, 2))), None)
    assert not is_regression(outputs(("prediction", "INT64", (-1, 1))), None)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_the_same_number(value):
    (text,) = number_texts(np.array([value], np.float32))
    assert np.float32(text) == np.float32(value)
    assert np.float64(number_label(value)) == value
