"""Scores over resamples, against scikit-learn; the paired bootstrap's promises."""

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
from perennial_trainer.evaluation.compare import compare
from perennial_trainer.evaluation.regression import RegressionStatistics
from perennial_trainer.evaluation.scores import values
from perennial_trainer.evaluation.task import REGRESSION, Predictions, Task, make_task

TWO = Task(["no", "yes"], "yes")
THREE = Task(["a", "b", "c"], None)


def answers_of(score: np.ndarray) -> Predictions:
    said = np.where(score > 0.5, "yes", "no").astype(object)
    return Predictions(said, np.column_stack([1 - score, score]), TWO.classes)


def noisy(truth: np.ndarray, noise: float, seed: int) -> Predictions:
    """Scores that tell the truth but for some noise."""
    random = np.random.default_rng(seed)
    raw = (truth == "yes") - 0.5 + noise * random.normal(size=len(truth))
    return answers_of(1 / (1 + np.exp(-raw)))


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
def test_a_resampled_roc_auc_is_that_of_scikit_learn_on_weighted_rows(rows, blocks, levels, seed):
    random = np.random.default_rng(seed)
    truth = coins(rows, seed)
    score = random.integers(0, levels, rows) / (levels - 1)  # with ties
    block = cut_blocks(rows, blocks)
    weights = draw(int(block.max()) + 1, 8, seed)
    got = ClassificationStatistics(TWO, truth, answers_of(score), block).resampled(
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
def test_the_other_metrics_are_those_of_scikit_learn_on_weighted_rows(rows, seed, task):
    random = np.random.default_rng(seed)
    truth = random.choice(task.classes, rows).astype(object)
    said = random.choice(task.classes, rows).astype(object)
    block = cut_blocks(rows, 10)
    weights = draw(int(block.max()) + 1, 4, seed)
    counts = ClassificationStatistics(
        task, truth, Predictions(said, np.zeros((rows, len(task.classes))), task.classes), block
    )
    for row, weight in enumerate(weights):
        times = weight[block]
        given = {"y_true": truth[times > 0], "y_pred": said[times > 0]}
        given["sample_weight"] = times[times > 0]
        about = {"zero_division": 0.0}
        if task.positive:
            about["pos_label"] = task.positive
        else:
            about["average"] = "macro"
        if task.positive and task.positive not in {*given["y_true"], *given["y_pred"]}:
            continue  # scikit-learn asks for the label to occur
        if task.positive and len({*given["y_true"], *given["y_pred"]}) < 2:
            continue
        for metric, function in (
            ("f1", f1_score),
            ("recall", recall_score),
            ("precision", precision_score),
        ):
            value = counts.resampled(metric, weights)[row]
            assert value == pytest.approx(function(**given, **about), abs=1e-12)
        value = counts.resampled("accuracy", weights)[row]
        assert value == pytest.approx(accuracy_score(**given), abs=1e-12)


@given(
    rows=st.integers(10, 300), seed=st.integers(0, 2**32 - 1), task=st.sampled_from([TWO, THREE])
)
@settings(max_examples=40, deadline=None)
def test_the_values_are_those_that_live_counts_come_to(rows, seed, task):
    """The server counts the same answers; what it measures is compared with what is kept here."""
    random = np.random.default_rng(seed)
    truth = random.choice(task.classes, rows).astype(object)
    score = random.integers(0, SCORE_BINS, rows) / SCORE_BINS + 1e-4
    said = (
        np.where(score > 0.5, "yes", "no").astype(object)
        if task is TWO
        else random.choice(task.classes, rows).astype(object)
    )
    counts = ClassificationStatistics(
        task, truth, Predictions(said, np.column_stack([1 - score, score]), TWO.classes)
    )
    bins = np.zeros((2, SCORE_BINS), int)
    np.add.at(bins, ((truth == "yes").astype(int), score_bins(score)), 1)
    positive = 1 if task is TWO else None
    for metric in set(task.metrics) & set(get_args(MonitoredMetric)):
        live = measure(metric, counts.matrix, bins, positive)
        value = counts.value(metric)
        assert (live is None and np.isnan(value)) or value == pytest.approx(live, abs=1e-12)


@given(rows=st.integers(20, 120), levels=st.integers(2, 50), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_scores_of_probabilities_are_those_of_scikit_learn_on_weighted_rows(rows, levels, seed):
    random = np.random.default_rng(seed)
    truth = coins(rows, seed)
    score = (1 + random.integers(0, levels, rows)) / (levels + 1)  # with ties
    block = cut_blocks(rows, 10)
    weights = draw(int(block.max()) + 1, 4, seed)
    answers = answers_of(score)
    counts = ClassificationStatistics(TWO, truth, answers, block)
    for row, weight in enumerate(weights):
        times = weight[block]
        is_yes = (truth == "yes").astype(int)
        if len(set(is_yes[times > 0])) < 2:
            continue
        said = (answers.labels == "yes").astype(int)
        for metric, expected in (
            ("average_precision", average_precision_score(is_yes, score, sample_weight=times)),
            ("brier", brier_score_loss(is_yes, score, sample_weight=times)),
            ("log_loss", log_loss(is_yes, score, sample_weight=times)),
            ("balanced_accuracy", balanced_accuracy_score(is_yes, said, sample_weight=times)),
        ):
            assert counts.resampled(metric, weights)[row] == pytest.approx(expected, abs=1e-12)


@given(rows=st.integers(3, 120), seed=st.integers(0, 2**32 - 1), offset=st.sampled_from([0, 1e6]))
@settings(max_examples=40, deadline=None)
def test_scores_of_numbers_are_those_of_scikit_learn_on_weighted_rows(rows, seed, offset):
    random = np.random.default_rng(seed)
    truth = offset + random.normal(size=rows)
    said = truth + random.normal(size=rows)
    block = cut_blocks(rows, 10)
    weights = draw(int(block.max()) + 1, 4, seed)
    sums = RegressionStatistics(truth, said, block)
    for row, weight in enumerate(weights):
        times = weight[block]
        given = (truth, said)
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
            assert sums.resampled(metric, weights)[row] == pytest.approx(expected, rel=1e-6)


def test_what_is_told_too_high_is_dear_at_a_low_quantile_and_what_is_too_low_at_a_high_one():
    truth = np.zeros(4)
    high, low = (
        values(REGRESSION, truth, Predictions.of_numbers(truth + off)) for off in (10, -10)
    )
    assert (high["pinball_10"], high["pinball_90"]) == (9, 1)
    assert (low["pinball_10"], low["pinball_90"]) == (1, 9)


def test_the_gain_of_an_error_is_what_it_became_smaller_by():
    truth = np.random.default_rng(0).normal(100, 10, 2000)
    noise = np.random.default_rng(1).normal(size=2000)
    worse, better = (Predictions.of_numbers(truth + size * noise) for size in (2.0, 1.0))
    gains = {gain.metric: gain for gain in compare(REGRESSION, truth, worse, better, "Recent", 0)}
    assert gains["rmse"].gain == pytest.approx(0.5)  # a share of what it was
    assert gains["rmse"].low == pytest.approx(0.5)
    assert gains["r2"].gain > 0
    assert all(gain.high < 0 for gain in compare(REGRESSION, truth, better, worse, "Recent", 0))


def test_many_distinct_scores_leave_the_average_precision_where_it_is():
    truth = coins(20_000, 1)
    answers = noisy(truth, 1.0, 2)
    value = ClassificationStatistics(TWO, truth, answers).value("average_precision")
    assert value == pytest.approx(
        average_precision_score(truth == "yes", answers.score("yes")), abs=1e-3
    )


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(50, 400))
@settings(max_examples=30, deadline=None)
def test_equal_models_gain_nothing_for_sure(seed, rows):
    truth = coins(rows, seed)
    said = noisy(truth, 1.0, seed)
    for gain in compare(TWO, truth, said, said, "Recent", seed):
        assert gain.low == gain.high == 0
        assert gain.champion == gain.challenger


@given(seed=st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_a_better_model_is_found_better_and_a_worse_one_worse(seed):
    truth = coins(2000, seed)
    good, bad = noisy(truth, 0.4, seed + 1), noisy(truth, 1.5, seed + 2)
    gains = compare(TWO, truth, bad, good, "Recent", seed)
    assert [gain.metric for gain in gains] == TWO.metrics
    assert all(0 < gain.low < gain.gain < gain.high for gain in gains)
    assert all(gain.high < 0 for gain in compare(TWO, truth, good, bad, "Recent", seed))


def test_the_interval_holds_no_gain_about_as_often_as_it_says():
    """95 %: of 300 pairs of models that are equally good, about 15 seem different."""
    misses = 0
    for seed in range(300):
        truth = coins(600, seed)
        one, other = noisy(truth, 1.0, 1000 + seed), noisy(truth, 1.0, 5000 + seed)
        gains = compare(TWO, truth, one, other, "Recent", seed)
        gain = next(gain for gain in gains if gain.metric == "roc_auc")
        misses += not gain.low <= 0 <= gain.high
    assert 5 <= misses <= 30


def test_the_gain_of_ties_comes_out_wider_when_rows_come_in_runs():
    """Rows of one day are alike: taken for independent, they would make the interval too sure."""
    days = coins(60, 0)
    truth = np.repeat(days, 50)
    one, other = noisy(days, 1.0, 1), noisy(days, 1.0, 2)
    runs = [
        Predictions(np.repeat(a.labels, 50), np.repeat(a.probabilities, 50, axis=0), a.classes)
        for a in (one, other)
    ]
    order = np.random.default_rng(0).permutation(len(truth))
    mixed = [Predictions(a.labels[order], a.probabilities[order], a.classes) for a in runs]
    in_runs = compare(TWO, truth, *runs, "Recent", 0)[0]
    shuffled = compare(TWO, truth[order], *mixed, "Recent", 0)[0]
    assert in_runs.high - in_runs.low > 3 * (shuffled.high - shuffled.low)


@given(rows=st.integers(1, 5000), most=st.integers(1, 200))
def test_blocks_are_contiguous_and_of_nearly_equal_size(rows, most):
    block = cut_blocks(rows, most)
    sizes = np.bincount(block)
    assert (np.diff(block) >= 0).all()
    assert len(sizes) == min(rows, most)
    assert sizes.max() - sizes.min() <= 1


def test_of_two_labels_the_last_is_positive_unless_another_is_named():
    assert make_task(["0", "1"], None).positive == "1"
    assert make_task(["10", "9"], None) == Task(["9", "10"], "10")
    assert make_task(["late", "early"], "early").positive == "early"
    assert make_task(["a", "b", "c"], "a").positive is None
    with pytest.raises(ValueError, match="one of the labels 0, 1, got 'x'"):
        make_task([0, 1], "x")
