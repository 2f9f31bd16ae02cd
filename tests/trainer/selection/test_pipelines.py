"""The parts of the search: rounds, survivors, the rule by which one is taken, folds, scores."""

import itertools
import math

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from perennial_contracts.api.search import CANDIDATES
from perennial_trainer.conversion.sklearn_to_onnx import convert
from perennial_trainer.data.features import clean, infer, tensors
from perennial_trainer.selection import model_kinds as candidates
from perennial_trainer.selection import pipelines
from perennial_trainer.selection.choose import choose
from perennial_trainer.selection.folds import hold_out, split_folds
from perennial_trainer.selection.halving import LEAST_KEPT, LEAST_ROWS, rounds, survivors
from perennial_trainer.selection.model_kinds import (
    SETTINGS,
    SearchCandidate,
    is_installed,
    kinds_for,
    usable,
)
from perennial_trainer.selection.scoring import check_task, score

REGRESSORS = [kind for kind in kinds_for("Regression") if is_installed(kind)]
FOLD_VALUES = st.lists(st.integers(0, 50).map(lambda n: n / 50), min_size=3, max_size=3)


@given(st.integers(4, 3_000_000), st.integers(1, 1000))
def test_rounds_grow_to_all_rows_and_none_has_few(rows, trials):
    sizes = rounds(rows, trials)
    assert sizes[-1] == rows
    assert all(fewer * 3 <= more for fewer, more in itertools.pairwise(sizes))
    assert len(sizes) == 1 or sizes[0] >= LEAST_ROWS
    if rows < 3 * LEAST_ROWS or trials <= LEAST_KEPT:
        assert sizes == [rows]


@given(st.lists(st.floats(-1, 1) | st.just(math.nan), min_size=1, max_size=40))
def test_the_best_go_on_and_never_none(values):
    kept = survivors(values)
    assert 1 <= len(kept) == len(set(kept))
    assert len(kept) >= min(len(values), LEAST_KEPT)
    dropped = [values[place] for place in range(len(values)) if place not in kept]
    for place in kept:
        if not math.isnan(values[place]):
            assert all(math.isnan(value) or value <= values[place] for value in dropped)
    if math.isnan(values[kept[0]]):
        assert all(map(math.isnan, values))


@given(st.lists(st.tuples(st.sampled_from(CANDIDATES), FOLD_VALUES), min_size=1, max_size=12))
def test_what_is_taken_is_the_best_or_simpler_and_as_good_within_its_error(trials):
    measured = [(kind, np.array(values)) for kind, values in trials]
    taken, why = choose(measured, "f1")
    best = max(range(len(measured)), key=lambda place: measured[place][1].mean())
    kind, values = measured[taken]
    gap = measured[best][1] - values
    assert CANDIDATES.index(kind) <= CANDIDATES.index(measured[best][0])
    assert gap.mean() <= gap.std(ddof=1) / math.sqrt(3) + 1e-12
    assert why
    # Of an error the smallest is the best.
    assert choose([(kind, -values) for kind, values in measured], "rmse")[0] == taken


@given(st.integers(12, 200), st.integers(0, 2**16))
def test_folds_of_shuffled_rows_have_equal_shares_of_the_classes(rows, seed):
    labels = np.arange(rows) % 3
    folds, order = split_folds(labels, seed, "Shuffled")
    assert order == "Shuffled"
    for train, test in folds:
        assert not set(train) & set(test)
        counts = np.bincount(labels[test])
        assert counts.max() - counts.min() <= 1


def test_the_rows_to_judge_on_are_the_last_ones_or_drawn_from_every_class():
    labels = np.repeat([0, 1], 50)
    learnt, judged = hold_out(labels, 0.2, 0, "TimeOrdered", "Classification")
    assert judged.tolist() == list(range(80, 100))
    learnt, judged = hold_out(labels, 0.2, 0, "Shuffled", "Classification")
    assert sorted([*learnt, *judged]) == list(range(100))
    assert np.bincount(labels[judged]).tolist() == [10, 10]


@pytest.fixture(scope="module")
def numbers(rows):
    """Rows with gaps and texts, and a number of thousands to learn."""
    table = rows(600, 3)
    features = infer(table, "late")
    frame = clean(table, features, "rows")
    noise = np.random.default_rng(0).normal(size=600) * 50
    truth = 5000 + 800 * table["wind"] + 900 * (table["carrier"] == "AA") + noise
    return frame, truth.to_numpy(np.float64), features


@pytest.mark.parametrize("kind", REGRESSORS)
def test_each_regressor_says_the_same_in_onnx_gaps_and_unknown_texts_included(numbers, kind):
    frame, truth, features = numbers
    fitted = pipelines.fit(
        SearchCandidate(kind, SETTINGS[kind][0]), frame, truth, features, "Regression", 0
    )
    probe = frame.copy()
    probe.loc[::5, "carrier"] = "nobody's"
    probe.loc[::7, "wind"] = np.float32(np.nan)
    session = onnxruntime.InferenceSession(convert(fitted, features))
    (said,) = session.run(None, tensors(probe, features))
    assert said.shape == (600, 1)
    assert np.abs(said[:, 0] - fitted.predict(probe)).max() < 1e-5 * np.abs(truth).max()
    assert metrics.r2_score(truth, fitted.predict(frame)) > 0.8


def test_the_same_rows_make_the_same_regressor(numbers):
    frame, truth, features = numbers
    for kind in REGRESSORS:
        first, second = (
            convert(
                pipelines.fit(
                    SearchCandidate(kind, SETTINGS[kind][0]),
                    frame,
                    truth,
                    features,
                    "Regression",
                    4,
                ),
                features,
            )
            for _ in range(2)
        )
        assert first == second, kind


def test_a_kind_that_is_not_installed_is_left_out_of_all_and_says_so_when_asked_for(
    numbers, monkeypatch
):
    monkeypatch.setitem(pipelines.PACKAGES, "XGBoost", "no_such_package")
    assert not is_installed("XGBoost")
    assert "XGBoost" not in usable(kinds_for("Regression"), numbers[1])
    with pytest.raises(ModuleNotFoundError, match=r"no_such_package is not installed. Remove XGB"):
        pipelines.make_pipeline(SearchCandidate("XGBoost", {}), [], "Regression", 0)


def test_classes_that_a_kind_cannot_take_leave_it_out(monkeypatch):
    monkeypatch.setitem(pipelines.PACKAGES, "XGBoost", "json")
    monkeypatch.setattr(candidates, "CONVERTERS", "json")
    assert "XGBoost" in usable(["XGBoost"], np.array([0, 1, 2]))
    assert "XGBoost" in usable(["XGBoost"], np.array([0.5, 1.5]))
    assert usable(["XGBoost"], np.array([1, 2, 3])) == []
    assert usable(["XGBoost"], np.array(["no", "yes"], object)) == []


@pytest.mark.parametrize("many", [2, 3])
def test_scores_are_those_of_scikit_learn(many):
    random = np.random.default_rng(many)
    frame = pd.DataFrame(random.normal(size=(300, 3)), columns=["a", "b", "c"])
    truth = np.digitize(frame["a"] + random.normal(size=300), [0, 1][: many - 1])
    model = LogisticRegression().fit(frame, truth)
    said, told = model.predict(frame), model.predict_proba(frame)
    expected = {
        "accuracy": metrics.accuracy_score(truth, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, said),
        "f1": metrics.f1_score(truth, said, average="binary" if many == 2 else "macro"),
        "log_loss": metrics.log_loss(truth, told),
    }
    if many == 2:
        expected["roc_auc"] = metrics.roc_auc_score(truth, told[:, 1])
        expected["brier"] = metrics.brier_score_loss(truth, told[:, 1])
        expected["average_precision"] = metrics.average_precision_score(truth, told[:, 1])
    for metric, value in expected.items():
        task = check_task(truth, None, metric)
        assert score(model, frame, truth, task, metric) == pytest.approx(value), metric
