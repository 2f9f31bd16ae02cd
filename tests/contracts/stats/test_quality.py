import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from perennial_contracts.stats.quality import SCORE_BINS, drop_limit, measure, score_bins, score_of
from perennial_contracts.wire.profile import Baseline

SKLEARN = {
    "accuracy": lambda truth, said, **_: metrics.accuracy_score(truth, said),
    "f1": metrics.f1_score,
    "recall": metrics.recall_score,
    "precision": metrics.precision_score,
}
OF_CLASSES = ["f1", "recall", "precision"]


def matrix_of(said: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (said, truth), 1)
    return matrix


@st.composite
def answers(draw: st.DrawFn, classes: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1))
    rows = np.array(draw(st.lists(pairs, min_size=1, max_size=60)))
    return rows[:, 0], rows[:, 1]


@pytest.mark.parametrize("metric", list(SKLEARN))
@pytest.mark.parametrize("classes", [2, 3, 5])
@given(data=st.data())
def test_a_metric_over_all_classes_equals_that_of_scikit_learn(
    metric: str, classes: int, data: st.DataObject
) -> None:
    said, truth = data.draw(answers(classes))
    expected = SKLEARN[metric](
        truth, said, **({} if metric == "accuracy" else {"average": "macro", "zero_division": 0})
    )
    assert measure(metric, matrix_of(said, truth, classes)) == pytest.approx(expected)


@pytest.mark.parametrize("metric", OF_CLASSES)
@pytest.mark.parametrize("positive", [0, 1])
@given(data=st.data())
def test_a_metric_of_the_positive_class_equals_that_of_scikit_learn(
    metric: str, positive: int, data: st.DataObject
) -> None:
    said, truth = data.draw(answers(2))
    expected = SKLEARN[metric](truth, said, pos_label=positive, zero_division=0)
    found = measure(metric, matrix_of(said, truth, 2), positive=positive)
    assert found == pytest.approx(expected)


def test_rows_of_the_matrix_are_predictions_and_columns_are_truths() -> None:
    matrix = [[5, 3], [1, 7]]
    assert measure("precision", matrix, positive=1) == 7 / 8
    assert measure("recall", matrix, positive=1) == 7 / 10


@given(answers(3), answers(3))
def test_matrices_of_replicas_add_up(
    one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> None:
    together = matrix_of(*(np.concatenate(pair) for pair in zip(one, other, strict=True)), 3)
    assert measure("f1", matrix_of(*one, 3) + matrix_of(*other, 3)) == measure("f1", together)


@pytest.mark.parametrize("metric", [*SKLEARN, "roc_auc"])
@pytest.mark.parametrize("matrix", [[], [[0, 0], [0, 0]]])
def test_without_rows_no_metric_is_defined(metric: str, matrix: list[list[int]]) -> None:
    assert measure(metric, matrix, [[0] * SCORE_BINS] * 2, 1) is None


def test_an_unknown_metric_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="expected a metric of accuracy, roc_auc, precision"):
        measure("mcc", [[1, 0], [0, 1]])


# --- the area under the curve ---


def binned(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    places = score_bins(scores)
    return np.stack([np.bincount(places[truth == side], minlength=SCORE_BINS) for side in (0, 1)])


def area_of(scores: np.ndarray, truth: np.ndarray) -> float | None:
    return measure(
        "roc_auc", matrix_of((scores > 0.5).astype(int), truth, 2), binned(scores, truth)
    )


@given(
    st.lists(
        st.tuples(st.integers(0, SCORE_BINS - 1), st.booleans()), min_size=2, max_size=80
    ).filter(lambda rows: len({truth for _, truth in rows}) == 2)
)
def test_the_area_of_binned_scores_equals_that_of_scikit_learn(
    rows: list[tuple[int, bool]],
) -> None:
    scores = np.array([(place + 0.5) / SCORE_BINS for place, _ in rows])
    truth = np.array([int(side) for _, side in rows])
    assert area_of(scores, truth) == pytest.approx(metrics.roc_auc_score(truth, scores))


@pytest.mark.parametrize("seed", range(5))
def test_binning_moves_the_area_by_no_more_than_half_the_pairs_that_it_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, 3000)
    scores = random.beta(2 + truth, 3 - truth)
    counts = binned(scores, truth).astype(float)
    tied = (counts[0] * counts[1]).sum() / (counts[0].sum() * counts[1].sum())
    area = area_of(scores, truth)
    assert area is not None
    assert abs(area - metrics.roc_auc_score(truth, scores)) <= tied / 2
    assert tied < 0.02


def test_with_one_class_the_area_is_undefined() -> None:
    assert area_of(np.array([0.1, 0.9]), np.array([1, 1])) is None
    assert measure("roc_auc", [[1, 0], [0, 1]], None) is None


# --- scores ---


def test_the_score_is_the_probability_of_the_positive_class_or_of_the_likeliest() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    assert score_of(probabilities, 1).tolist() == [0.2, 0.3]
    assert score_of(probabilities, None).tolist() == [0.7, 0.6]
    assert score_of(np.zeros((0, 3)), None).shape == (0,)
    assert score_of(np.zeros((0, 3)), 1).shape == (0,)


@given(st.lists(st.floats(), max_size=30))
def test_every_score_has_a_bin_without_warnings(scores: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        places = score_bins(np.array(scores))
    for score, place in zip(scores, places.tolist(), strict=True):
        assert 0 <= place < SCORE_BINS
        if score >= 1:
            assert place == SCORE_BINS - 1
        elif math.isnan(score) or score <= 0:
            assert place == 0
        else:
            assert place == int(score * SCORE_BINS)


# --- how far a metric may drop ---


@pytest.mark.parametrize("labels", [200, 2000])
def test_the_limit_covers_the_chance_of_both_samples(labels: int) -> None:
    # Accuracy of independent rows, where the deviation is known.
    random, rows, truth = np.random.default_rng(labels), 1000, 0.8
    baseline = Baseline(value=truth, deviation=(truth * (1 - truth) / rows) ** 0.5, rows=rows)
    drops = (
        random.binomial(rows, truth, 4000) / rows - random.binomial(labels, truth, 4000) / labels
    )
    assert drop_limit(baseline, labels, 1, 0) == pytest.approx(drops.std(), rel=0.05)
    assert (drops > drop_limit(baseline, labels, 3, 0)).mean() < 0.006


@given(st.integers(1, 10**6), st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10))
def test_the_limit_is_at_least_the_minimum_and_at_most_one(
    rows: int, least: float, labels: int, sigmas: int
) -> None:
    baseline = Baseline(value=0.9, deviation=0.02, rows=rows)
    limit = drop_limit(baseline, labels, sigmas, least)
    assert least <= limit <= 1
    assert drop_limit(baseline, labels + 1, sigmas, least) <= limit
    assert drop_limit(baseline, 0, sigmas, least) >= limit
    assert drop_limit(baseline, labels, sigmas + 1, least) >= limit
