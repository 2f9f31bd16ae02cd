"""Scores over resamples, compared with scikit-learn."""

from functools import partial
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    precision_score,
    r2_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
)

from perennial_contracts.stats.quality import SCORE_BINS, MonitoredMetric, measure, score_bins
from perennial_trainer.evaluation.bootstrap import cut_blocks, draw
from perennial_trainer.evaluation.classification import ClassificationStatistics
from perennial_trainer.evaluation.regression import RegressionStatistics
from perennial_trainer.evaluation.scores import values
from perennial_trainer.evaluation.task import REGRESSION, RowPredictions, Task

TWO = Task(["no", "yes"], "yes")


THREE = Task(["a", "b", "c"], None)


def predictions_of(score: np.ndarray) -> RowPredictions:
    predicted = np.where(score > 0.5, "yes", "no").astype(object)
    return RowPredictions(predicted, np.column_stack([1 - score, score]), TWO.classes)


def noisy(truth: np.ndarray, noise: float, seed: int) -> RowPredictions:
    """Return predictions of the truth with some noise."""
    random = np.random.default_rng(seed)
    raw = (truth == "yes") - 0.5 + noise * random.normal(size=len(truth))
    return predictions_of(1 / (1 + np.exp(-raw)))


def coins(rows: int, seed: int, share: float = 0.4) -> np.ndarray:
    drawn = np.random.default_rng(seed).random(rows) < share
    return np.where(drawn, "yes", "no").astype(object)


@given(
    rows=st.integers(20, 120),
    blocks=st.integers(2, 15),
    levels=st.integers(2, 50),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_resampled_roc_auc_matches_scikit_learn_on_weighted_rows(rows, blocks, levels, seed):
    random = np.random.default_rng(seed)
    truth = coins(rows, seed)
    score = random.integers(0, levels, rows) / (levels - 1)  # with ties
    block = cut_blocks(rows, blocks)
    weights = draw(int(block.max()) + 1, 8, seed)
    got = ClassificationStatistics(TWO, truth, predictions_of(score), block).resampled(
        "roc_auc", weights
    )
    for value, weight in zip(got, weights, strict=True):
        times = weight[block]
        drawn = truth[times > 0]
        if len(set(drawn)) < 2:
            assert np.isnan(value)
        else:
            expected = roc_auc_score(truth == "yes", score, sample_weight=times)
            assert value == pytest.approx(expected, abs=1e-12)


@given(rows=st.integers(5, 80), seed=st.integers(0, 2**32 - 1), task=st.sampled_from([TWO, THREE]))
@settings(max_examples=60, deadline=None)
def test_other_metrics_match_scikit_learn_on_weighted_rows(rows, seed, task):
    random = np.random.default_rng(seed)
    truth = random.choice(task.classes, rows).astype(object)
    predicted = random.choice(task.classes, rows).astype(object)
    block = cut_blocks(rows, 10)
    weights = draw(int(block.max()) + 1, 4, seed)
    statistics = ClassificationStatistics(
        task,
        truth,
        RowPredictions(predicted, np.zeros((rows, len(task.classes))), task.classes),
        block,
    )
    for row, weight in enumerate(weights):
        times = weight[block]
        given = {"y_true": truth[times > 0], "y_pred": predicted[times > 0]}
        given["sample_weight"] = times[times > 0]
        about = {"zero_division": 0.0}
        if task.positive:
            about["pos_label"] = task.positive
        else:
            about["average"] = "macro"
        if task.positive and task.positive not in {*given["y_true"], *given["y_pred"]}:
            continue  # scikit-learn needs the label
        if task.positive and len({*given["y_true"], *given["y_pred"]}) < 2:
            continue
        for metric, function in (
            ("f1", f1_score),
            ("recall", recall_score),
            ("precision", precision_score),
        ):
            value = statistics.resampled(metric, weights)[row]
            assert value == pytest.approx(function(**given, **about), abs=1e-12)
        value = statistics.resampled("accuracy", weights)[row]
        assert value == pytest.approx(accuracy_score(**given), abs=1e-12)


@given(
    rows=st.integers(10, 300), seed=st.integers(0, 2**32 - 1), task=st.sampled_from([TWO, THREE])
)
@settings(max_examples=40, deadline=None)
def test_values_match_those_of_the_runtimes_counters(rows, seed, task):
    # The monitoring compares the scores of the counters with those in a bundle.
    random = np.random.default_rng(seed)
    truth = random.choice(task.classes, rows).astype(object)
    score = random.integers(0, SCORE_BINS, rows) / SCORE_BINS + 1e-4
    predicted = (
        np.where(score > 0.5, "yes", "no").astype(object)
        if task is TWO
        else random.choice(task.classes, rows).astype(object)
    )
    statistics = ClassificationStatistics(
        task, truth, RowPredictions(predicted, np.column_stack([1 - score, score]), TWO.classes)
    )
    bins = np.zeros((2, SCORE_BINS), int)
    np.add.at(bins, ((truth == "yes").astype(int), score_bins(score)), 1)
    positive = 1 if task is TWO else None
    for metric in set(task.metrics) & set(get_args(MonitoredMetric)):
        live = measure(metric, statistics.matrix, bins, positive)
        value = statistics.value(metric)
        assert (live is None and np.isnan(value)) or value == pytest.approx(live, abs=1e-12)


@given(rows=st.integers(20, 120), levels=st.integers(2, 50), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_scores_of_probabilities_match_scikit_learn_on_weighted_rows(rows, levels, seed):
    random = np.random.default_rng(seed)
    truth = coins(rows, seed)
    score = (1 + random.integers(0, levels, rows)) / (levels + 1)  # with ties
    block = cut_blocks(rows, 10)
    weights = draw(int(block.max()) + 1, 4, seed)
    predictions = predictions_of(score)
    statistics = ClassificationStatistics(TWO, truth, predictions, block)
    for row, weight in enumerate(weights):
        times = weight[block]
        is_yes = (truth == "yes").astype(int)
        if len(set(is_yes[times > 0])) < 2:
            continue
        predicted = (predictions.labels == "yes").astype(int)
        for metric, expected in (
            ("average_precision", average_precision_score(is_yes, score, sample_weight=times)),
            ("brier", brier_score_loss(is_yes, score, sample_weight=times)),
            ("log_loss", log_loss(is_yes, score, sample_weight=times)),
            ("balanced_accuracy", balanced_accuracy_score(is_yes, predicted, sample_weight=times)),
        ):
            assert statistics.resampled(metric, weights)[row] == pytest.approx(expected, abs=1e-12)


@given(rows=st.integers(3, 120), seed=st.integers(0, 2**32 - 1), offset=st.sampled_from([0, 1e6]))
@settings(max_examples=40, deadline=None)
def test_scores_of_regressors_match_scikit_learn_on_weighted_rows(rows, seed, offset):
    random = np.random.default_rng(seed)
    truth = offset + random.normal(size=rows)
    predicted = truth + random.normal(size=rows)
    block = cut_blocks(rows, 10)
    weights = draw(int(block.max()) + 1, 4, seed)
    statistics = RegressionStatistics(truth, predicted, block)
    for row, weight in enumerate(weights):
        times = weight[block]
        given = (truth, predicted)
        for metric, function in (
            ("mae", mean_absolute_error),
            ("rmse", root_mean_squared_error),
            ("r2", r2_score),
            ("pinball_10", partial(mean_pinball_loss, alpha=0.1)),
            ("pinball_90", partial(mean_pinball_loss, alpha=0.9)),
        ):
            if metric == "r2" and len(set(truth[times > 0])) < 2:
                continue
            expected = function(*given, sample_weight=times)
            assert statistics.resampled(metric, weights)[row] == pytest.approx(expected, rel=1e-6)


def test_pinball_loss_penalizes_high_predictions_at_a_low_quantile():
    truth = np.zeros(4)
    high, low = (
        values(REGRESSION, truth, RowPredictions.of_numbers(truth + off)) for off in (10, -10)
    )
    assert (high["pinball_10"], high["pinball_90"]) == (9, 1)
    assert (low["pinball_10"], low["pinball_90"]) == (1, 9)


def test_average_precision_of_many_distinct_scores_is_close():
    truth = coins(20_000, 1)
    predictions = noisy(truth, 1.0, 2)
    value = ClassificationStatistics(TWO, truth, predictions).value("average_precision")
    assert value == pytest.approx(
        average_precision_score(truth == "yes", predictions.score("yes")), abs=1e-3
    )
