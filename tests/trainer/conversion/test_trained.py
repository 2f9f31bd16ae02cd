"""The models that a trainer may leave: ONNX or skops, with the expected signature."""

import json

import numpy as np
import pytest
import skops.io
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import LabelPropagation
from support.judging import RunFolders, published

from perennial_contracts.api.search import Search
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_trainer.conversion import sklearn_to_onnx
from perennial_trainer.conversion.sklearn_to_onnx import convert
from perennial_trainer.errors import StepError
from perennial_trainer.steps.fit import make_bundle

LOGISTIC = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")


@pytest.fixture(scope="module")
def champion(rows):
    return make_bundle(rows(1500, 9), label="late", positive=None, search=LOGISTIC, lineage={})


@pytest.fixture
def site(tmp_path, champion) -> RunFolders:
    return RunFolders(tmp_path, champion)


@pytest.fixture
def filled(site, rows):
    moved = rows(900, 1, drift=0.8)
    site.fill(moved[:600], moved[600:])
    return site


def onnx_of(inputs, outputs, nodes) -> bytes:
    kinds = {"text": TensorProto.STRING, "float": TensorProto.FLOAT, "int": TensorProto.INT64}
    graph = helper.make_graph(
        nodes,
        "own",
        [helper.make_tensor_value_info(n, kinds[k], ["n", *s]) for n, k, s in inputs],
        [helper.make_tensor_value_info(n, kinds[k], ["n", *s]) for n, k, s in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


INPUTS = [
    ("gap", "float", [1]),
    ("wind", "float", [1]),
    ("carrier", "text", [1]),
    ("hour", "float", [1]),
]


OUTPUTS = [("label", "int", []), ("probabilities", "float", [2])]


NODES = [
    helper.make_node("Sigmoid", ["wind"], ["yes"]),
    helper.make_node("Neg", ["wind"], ["minus"]),
    helper.make_node("Sigmoid", ["minus"], ["no"]),
    helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
    helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
]


def test_an_onnx_model_of_a_custom_trainer_is_judged_unchanged(filled):
    data = onnx_of(INPUTS, OUTPUTS, NODES)
    filled.leave("model.onnx", data)
    result = filled.judge(gate={"minImprovementPermille": 0, "minValuePermille": 0})
    assert result.candidate == ""
    assert result.comparisons[0].rows == 300
    result = filled.judge(champion=None)
    assert published(result)["model.onnx"] == data


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (INPUTS[:-1], OUTPUTS, "input hour: expected one for each feature .*got no such input"),
        (
            [*INPUTS, ("more", "float", [1])],
            OUTPUTS,
            "input more: .*an input that is not a feature",
        ),
        ([*INPUTS[:2], ("carrier", "float", [1]), INPUTS[3]], OUTPUTS, "carrier: expected texts"),
        ([*INPUTS[:3], ("hour", "float", [4])], OUTPUTS, r"input hour: .*\[-1, 1\] or \[-1\], got"),
        (
            INPUTS,
            OUTPUTS[:1],
            "expected outputs label and probabilities, or prediction, got label INT64",
        ),
    ],
)
def test_an_onnx_model_with_another_signature_is_rejected_by_the_tensor(
    filled, inputs, outputs, message
):
    filled.leave("model.onnx", onnx_of(inputs, outputs, NODES))
    with pytest.raises(StepError, match=message) as caught:
        filled.judge()
    assert caught.value.reason is TrainingFailure.WRONG_SIGNATURE


def test_probabilities_in_another_order_of_the_labels_are_rejected(filled):
    swapped = [
        *NODES[:3],
        helper.make_node("Concat", ["yes", "no"], ["probabilities"], axis=1),
        helper.make_node("ArgMin", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    filled.leave("model.onnx", onnx_of(INPUTS, OUTPUTS, swapped))
    error = filled.failure()
    assert error.reason is TrainingFailure.WRONG_SIGNATURE
    assert "a probability for each of 0, 1, in this order" in error.message


def test_bytes_that_are_no_onnx_are_rejected(filled):
    filled.leave("model.onnx", b"no model")
    assert filled.failure().reason is TrainingFailure.WRONG_SIGNATURE


def test_a_trainer_without_a_model_gets_an_error_with_the_expected_files(filled):
    filled.leave("notes.txt", b"")
    error = filled.failure()
    assert error.reason is TrainingFailure.NO_MODEL
    assert "expected model.onnx or model.skops from the trainer, got notes.txt" in error.message


class Harmful(LogisticRegression):
    """A type that a skops file names and that is not scikit-learn's."""


def test_a_skops_file_with_a_custom_type_is_rejected_with_the_type(filled, champion):
    steps = champion.pipeline.steps
    own = Pipeline([steps[0], ("model", Harmful())])
    filled.leave("model.skops", skops.io.dumps(own))
    error = filled.failure()
    assert error.reason is TrainingFailure.CONVERSION_FAILED
    assert "Harmful" in error.message


@pytest.mark.parametrize("content", [b"no skops", b""])
def test_an_invalid_skops_file_is_rejected(filled, content):
    filled.leave("model.skops", content)
    error = filled.failure()
    assert error.reason is TrainingFailure.CONVERSION_FAILED
    assert "model.skops: cannot be read" in error.message


def test_a_skops_model_of_arrays_is_rejected_with_the_columns(filled):
    fitted = LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])
    filled.leave("model.skops", skops.io.dumps(fitted))
    error = filled.failure()
    assert error.reason is TrainingFailure.WRONG_SIGNATURE
    assert "with the columns gap, wind, carrier, hour, got an array" in error.message


def test_a_model_without_a_converter_is_rejected_by_name(filled, rows):
    table = rows(300, 5)[["gap", "wind", "carrier", "hour"]].fillna(0)
    columns = ColumnTransformer([("numbers", "passthrough", ["wind"])])
    fitted = Pipeline([("c", columns), ("m", LabelPropagation())])
    fitted.fit(table, np.arange(300) % 2)
    filled.leave("model.skops", skops.io.dumps(fitted))
    error = filled.failure()
    assert error.reason is TrainingFailure.CONVERSION_FAILED
    assert "LabelPropagation" in error.message


def forest(table) -> Pipeline:
    """Return a forest that was fitted on missing numbers."""
    numbers = ["gap", "wind", "hour"]
    holes = np.random.default_rng(0).random((len(table), 3)) < 0.2
    frame = table[numbers].astype(np.float32).mask(holes).assign(carrier=table["carrier"])
    columns = ColumnTransformer([("n", "passthrough", numbers)])
    steps = [("c", columns), ("m", RandomForestClassifier(20, random_state=0))]
    return Pipeline(steps).fit(frame[["gap", "wind", "carrier", "hour"]], table["late"])


def test_a_forest_of_missing_values_predicts_the_same_in_onnx(filled, rows):
    filled.leave("model.skops", skops.io.dumps(forest(rows(1500, 5))))
    assert filled.judge(champion=None).decision == "Accepted"


def test_a_wrong_conversion_is_rejected_with_numbers(filled, rows, monkeypatch):
    filled.leave("model.skops", skops.io.dumps(forest(rows(1500, 5))))
    other = forest(rows(1500, 6, drift=0.9))
    monkeypatch.setattr(
        sklearn_to_onnx, "convert", lambda model, features: convert(other, features)
    )
    error = filled.failure()
    assert error.reason is TrainingFailure.PARITY_FAILED
    assert "labels agree, probabilities differ by up to" in error.message


def test_a_search_file_in_another_format_is_ignored(filled):
    filled.leave("model.onnx", onnx_of(INPUTS, OUTPUTS, NODES))
    filled.leave("search.json", json.dumps({"my": "own"}).encode())
    assert filled.judge(champion=None).candidate == ""
