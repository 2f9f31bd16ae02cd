"""The paired bootstrap: its gains and their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial_trainer.evaluation.compare import compare
from perennial_trainer.evaluation.task import REGRESSION, RowPredictions, Task

TWO = Task(["no", "yes"], "yes")


def predictions_of(score: np.ndarray) -> RowPredictions:
    predictions = np.where(score > 0.5, "yes", "no").astype(object)
    return RowPredictions(predictions, np.column_stack([1 - score, score]), TWO.classes)


def noisy(truth: np.ndarray, noise: float, seed: int) -> RowPredictions:
    """Return predictions of the truth with some noise."""
    random = np.random.default_rng(seed)
    raw = (truth == "yes") - 0.5 + noise * random.normal(size=len(truth))
    return predictions_of(1 / (1 + np.exp(-raw)))


def coins(rows: int, seed: int, share: float = 0.4) -> np.ndarray:
    drawn = np.random.default_rng(seed).random(rows) < share
    return np.where(drawn, "yes", "no").astype(object)


def test_the_gain_of_an_error_is_its_reduction():
    truth = np.random.default_rng(0).normal(100, 10, 2000)
    noise = np.random.default_rng(1).normal(size=2000)
    worse, better = (RowPredictions.of_numbers(truth + size * noise) for size in (2.0, 1.0))
    gains = {gain.metric: gain for gain in compare(REGRESSION, truth, worse, better, "Recent", 0)}
    assert gains["rmse"].gain == pytest.approx(0.5)  # a share of the champion's
    assert gains["rmse"].low == pytest.approx(0.5)
    assert gains["r2"].gain > 0
    assert all(gain.high < 0 for gain in compare(REGRESSION, truth, better, worse, "Recent", 0))


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(50, 400))
@settings(max_examples=30, deadline=None)
def test_equal_models_have_no_gain(seed, rows):
    truth = coins(rows, seed)
    predictions = noisy(truth, 1.0, seed)
    for gain in compare(TWO, truth, predictions, predictions, "Recent", seed):
        assert gain.low == gain.high == 0
        assert gain.champion == gain.challenger


@given(seed=st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_a_better_model_has_a_gain_and_a_worse_one_a_loss(seed):
    truth = coins(2000, seed)
    good, bad = noisy(truth, 0.4, seed + 1), noisy(truth, 1.5, seed + 2)
    gains = compare(TWO, truth, bad, good, "Recent", seed)
    assert [gain.metric for gain in gains] == TWO.metrics
    assert all(0 < gain.low < gain.gain < gain.high for gain in gains)
    assert all(gain.high < 0 for gain in compare(TWO, truth, good, bad, "Recent", seed))


def test_the_interval_of_equal_models_contains_zero_in_95_of_100_cases():
    # At 95 %, about 15 of 300 pairs of equally good models seem different.
    misses = 0
    for seed in range(300):
        truth = coins(600, seed)
        first, second = noisy(truth, 1.0, 1000 + seed), noisy(truth, 1.0, 5000 + seed)
        gains = compare(TWO, truth, first, second, "Recent", seed)
        gain = next(gain for gain in gains if gain.metric == "roc_auc")
        misses += not gain.low <= 0 <= gain.high
    assert 5 <= misses <= 30


def test_the_interval_is_wider_if_neighbouring_rows_are_alike():
    # Rows of one day are alike; as independent rows they would make the interval too narrow.
    days = coins(60, 0)
    truth = np.repeat(days, 50)
    first, second = noisy(days, 1.0, 1), noisy(days, 1.0, 2)
    runs = [
        RowPredictions(np.repeat(a.labels, 50), np.repeat(a.probabilities, 50, axis=0), a.classes)
        for a in (first, second)
    ]
    order = np.random.default_rng(0).permutation(len(truth))
    mixed = [RowPredictions(a.labels[order], a.probabilities[order], a.classes) for a in runs]
    in_runs = compare(TWO, truth, *runs, "Recent", 0)[0]
    shuffled = compare(TWO, truth[order], *mixed, "Recent", 0)[0]
    assert in_runs.high - in_runs.low > 3 * (shuffled.high - shuffled.low)
