"""The evaluation on held-out rows: curves, calibration, slices and the dummy."""

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score

from perennial_trainer.data.features import clean, infer
from perennial_trainer.data.labels import as_text
from perennial_trainer.evaluation.curves import MOST_POINTS
from perennial_trainer.evaluation.evaluation import evaluate
from perennial_trainer.evaluation.held_out import PredictedRows
from perennial_trainer.evaluation.slices import slices
from perennial_trainer.evaluation.task import REGRESSION, RowPredictions, Task

TWO = Task(["0", "1"], "1")


@pytest.fixture
def judged(rows):
    """Rows with answers that are right but for the flights of DL."""
    table = rows(2000)
    features = infer(table, "late")
    truth = as_text(table["late"])
    random = np.random.default_rng(0)
    score = np.clip((truth == "1") * 0.6 + 0.2 + random.normal(0, 0.1, 2000), 0.01, 0.99)
    score = np.where(table["carrier"] == "DL", random.random(2000), score)
    predictions = RowPredictions(
        np.where(score > 0.5, "1", "0").astype(object),
        np.column_stack([1 - score, score]),
        TWO.classes,
    )
    return clean(table, features, "rows"), features, truth, predictions


def evaluation(judged, task=TWO, metric="accuracy"):
    frame, features, truth, predictions = judged
    return evaluate(PredictedRows(task, features, frame, truth, predictions), truth, metric, seed=0)


def test_each_score_is_in_its_interval_and_the_dummy_has_learned_nothing(judged):
    found = evaluation(judged)
    assert [score.metric for score in found.scores] == TWO.metrics
    assert all(score.low < score.value < score.high for score in found.scores)
    dummy = {score.metric: score.value for score in found.dummy}
    assert dummy["roc_auc"] == dummy["balanced_accuracy"] == 0.5
    assert dummy["recall"] in (0, 1)


def test_the_area_below_the_thinned_curve_is_the_score(judged):
    _, _, truth, predictions = judged
    (curve,) = evaluation(judged).roc
    assert len(curve.x) <= MOST_POINTS
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    expected = roc_auc_score(truth == "1", predictions.score("1"))
    assert auc(curve.x, curve.y) == pytest.approx(expected, abs=0.01)


def test_the_slice_on_which_the_model_guesses_comes_first(judged):
    first = evaluation(judged).slices[0]
    assert (first.feature, first.value) == ("carrier", "DL")
    assert first.score.value < 0.6
    assert first.score.low < first.score.value < first.score.high


def test_slices_of_few_rows_and_of_all_rows_are_left_out(judged):
    frame, features, truth, predictions = judged
    found = slices(PredictedRows(TWO, features, frame, truth, predictions), "accuracy", seed=0)
    assert all(30 <= part.rows < 2000 for part in found)
    assert "rare" not in {part.value for part in found}  # 1 % of the rows
    assert ("gap", "(missing)") in {(part.feature, part.value) for part in found}


def test_calibration_has_bins_of_equal_counts(judged):
    (curve,) = evaluation(judged).calibration
    assert len(curve.x) == 10
    assert curve.x == sorted(curve.x)
    assert curve.y[0] < 0.2
    assert curve.y[-1] > 0.8


def test_several_classes_have_a_curve_each(rows):
    table = rows(900)
    features = infer(table, "late")
    truth = np.array(["a", "b", "c"], object)[np.arange(900) % 3]
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], 900)
    task = Task(["a", "b", "c"], None)
    predictions = RowPredictions(
        np.array(task.classes, object)[probabilities.argmax(1)], probabilities, ["a", "b", "c"]
    )
    found = evaluation((clean(table, features, "rows"), features, truth, predictions), task)
    assert [curve.name for curve in found.roc] == ["a", "b", "c"]
    assert np.array(found.matrix).sum() == 900


def test_a_regression_has_errors_and_residuals_and_no_curves(rows):
    table = rows(900)
    features = infer(table, "late")
    truth = np.random.default_rng(0).normal(size=900)
    predictions = RowPredictions.of_numbers(truth + 0.1)
    found = evaluation(
        (clean(table, features, "rows"), features, truth, predictions), REGRESSION, "rmse"
    )
    assert {score.metric: round(score.value, 6) for score in found.scores}["mae"] == 0.1
    assert found.residuals is not None
    assert len(found.residuals.x) == 300
    assert found.residuals.x == sorted(found.residuals.x)
    assert not found.roc
    assert not found.matrix
    assert found.slices
