"""Quality metrics from counts: a confusion matrix, and scores by label.

The counts come from labels that clients send as feedback with the id of the prediction.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..wire.profile import Baseline

SCORE_BINS = 200
"""Number of equal intervals of [0, 1] that scores are counted in, enough for ROC AUC."""

ClassificationMetric = Literal[
    "accuracy", "f1", "recall", "precision", "roc_auc",
    "balanced_accuracy", "average_precision", "log_loss", "brier",
]  # fmt: skip
RegressionMetric = Literal["mae", "rmse", "r2", "pinball_10", "pinball_90"]
MetricName = Literal[
    "accuracy", "f1", "recall", "precision", "roc_auc",
    "balanced_accuracy", "average_precision", "log_loss", "brier",
    "mae", "rmse", "r2", "pinball_10", "pinball_90",
]  # fmt: skip
"""As scikit-learn names them, or for short: brier (score), mae and rmse (mean absolute and root
mean squared error), pinball_10 and pinball_90 (mean pinball loss at the quantiles .1 and .9: the
error times the quantile if the prediction is too low, times one minus the quantile if it is too
high). With more than two classes, f1, recall and precision are averaged over the classes ("macro"),
and roc_auc, average_precision and brier are undefined."""
ERRORS: frozenset[MetricName] = frozenset(
    {"log_loss", "brier", "mae", "rmse", "pinball_10", "pinball_90"}
)
"""Metrics that are better when they are smaller."""
RELATIVE: frozenset[MetricName] = frozenset({"log_loss", "mae", "rmse", "pinball_10", "pinball_90"})
"""Metrics without an upper bound: a gain or loss is relative to the value before."""
MonitoredMetric = Literal["accuracy", "f1", "recall", "precision", "roc_auc"]
"""Metrics that can be computed from the counters of the pods."""


def score_of(probabilities: np.ndarray, positive: int | None) -> np.ndarray:
    """Return the probability of the positive (or most likely) class for each row.

    Args:
        probabilities: shape (rows, classes).
        positive: index of the positive class; None if there is none.

    Returns:
        Shape (rows,).
    """
    if positive is not None:
        return np.asarray(probabilities[:, positive])
    return np.asarray(probabilities.max(axis=1)) if probabilities.size else np.zeros(0)


def score_bins(scores: np.ndarray) -> np.ndarray:
    """Return the bin of each score, 0 to SCORE_BINS - 1; NaN is in the first."""
    clean = np.clip(np.nan_to_num(np.asarray(scores, np.float64), nan=0.0), 0, 1)
    return np.minimum((clean * SCORE_BINS).astype(np.int64), SCORE_BINS - 1)


def measure(
    metric: str,
    matrix: Sequence[Sequence[int]] | np.ndarray,
    scores: Sequence[Sequence[int]] | np.ndarray | None = None,
    positive: int | None = None,
) -> float | None:
    """Return a metric computed from counts, or None if it is undefined.

    Without rows all are undefined; ROC AUC also with rows of only one class.

    Args:
        metric: a MetricName.
        matrix: shape (classes, classes); row is the prediction, column the label.
        scores: shape (2, SCORE_BINS); scores of rows whose label is not, and is, positive.
        positive: index of the positive class, if there are two classes.
    """
    counts = np.asarray(matrix, np.float64)
    if not counts.size or not counts.sum():
        return None
    if metric == "accuracy":
        return float(np.trace(counts) / counts.sum())
    if metric == "roc_auc":
        return None if scores is None else _area(np.asarray(scores, np.float64))
    right, predicted, true = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore"):
        values = {
            "precision": np.where(predicted > 0, right / predicted, 0.0),
            "recall": np.where(true > 0, right / true, 0.0),
            "f1": np.where(predicted + true > 0, 2 * right / (predicted + true), 0.0),
        }
    if metric not in values:
        raise ValueError(f"expected a metric of accuracy, roc_auc, {', '.join(values)}")
    if positive is not None:
        return float(values[metric][positive])
    seen = (predicted + true) > 0
    return float(values[metric][seen].mean())


def _area(scores: np.ndarray) -> float | None:
    """Return the area under the ROC curve (Mann-Whitney); ties count half."""
    negative, positive = scores
    pairs = negative.sum() * positive.sum()
    if not pairs:
        return None
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs)


def drop_limit(baseline: Baseline, labels: int, sigmas: float, least: float) -> float:
    """Return how far a metric may be below its baseline before it counts as dropped.

    The limit is ``sigmas`` standard deviations of the difference for a window of ``labels`` labels,
    at least ``least``, so a trifle does not count in a large window, and at most 1, the largest
    possible drop.
    """
    spread = baseline.deviation * float(np.sqrt(1 + baseline.rows / max(labels, 1)))
    return min(max(least, sigmas * spread), 1.0)
