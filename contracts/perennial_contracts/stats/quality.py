"""How good answers are, from counts that add up over pods: a confusion matrix, and scores by truth.

The counts come from labels that clients send back, each with the id of its prediction.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..wire.profile import Baseline

SCORE_BINS = 200
"""Equal intervals of [0, 1] into which scores are counted, fine enough for ROC AUC."""

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
mean squared error), pinball_10 and pinball_90 (mean pinball loss at the quantiles .1 and .9: what
is told too low costs the quantile of the error, what is told too high the rest of it). With more
than two classes f1, recall and precision are averaged over the classes ("macro"), and there are no
roc_auc, average_precision and brier."""
ERRORS: frozenset[MetricName] = frozenset(
    {"log_loss", "brier", "mae", "rmse", "pinball_10", "pinball_90"}
)
"""Those that are better when they are smaller."""
RELATIVE: frozenset[MetricName] = frozenset({"log_loss", "mae", "rmse", "pinball_10", "pinball_90"})
"""Those without an upper end: a gain or a loss is told as a share of what there was before."""
MonitoredMetric = Literal["accuracy", "f1", "recall", "precision", "roc_auc"]
"""Those that the counters of the pods tell."""


def score_of(probabilities: np.ndarray, positive: int | None) -> np.ndarray:
    """One number a row: the probability of the positive class, or of the likeliest without one.

    Args:
        probabilities: shape (rows, classes).
        positive: index of the positive class; None where there is none.

    Returns:
        Shape (rows,).
    """
    if positive is not None:
        return np.asarray(probabilities[:, positive])
    return np.asarray(probabilities.max(axis=1)) if probabilities.size else np.zeros(0)


def score_bins(scores: np.ndarray) -> np.ndarray:
    """The bin of each score, 0 to SCORE_BINS - 1; NaN is in the first."""
    clean = np.clip(np.nan_to_num(np.asarray(scores, np.float64), nan=0.0), 0, 1)
    return np.minimum((clean * SCORE_BINS).astype(np.int64), SCORE_BINS - 1)


def measure(
    metric: str,
    matrix: Sequence[Sequence[int]] | np.ndarray,
    scores: Sequence[Sequence[int]] | np.ndarray | None = None,
    positive: int | None = None,
) -> float | None:
    """A metric from counts; None where they do not tell it (no rows, or only one class for AUC).

    Args:
        metric: a MetricName.
        matrix: shape (classes, classes); row is the prediction, column the truth.
        scores: shape (2, SCORE_BINS); the scores of rows whose truth is not, and is, positive.
        positive: index of the positive class of two.
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
    """The area under the ROC curve by the rank-sum (Mann-Whitney) form; equal bins count half."""
    negative, positive = scores
    pairs = negative.sum() * positive.sum()
    if not pairs:
        return None
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs)


def drop_limit(baseline: Baseline, labels: int, sigmas: float, least: float) -> float:
    """How far a metric may lie below its baseline before it counts as dropped.

    ``sigmas`` standard deviations of the difference, for a window of ``labels`` labels, and never
    less than ``least``, so that a trifle does not count in a large window; nor more than 1, which
    no metric can drop by.
    """
    spread = baseline.deviation * float(np.sqrt(1 + baseline.rows / max(labels, 1)))
    return min(max(least, sigmas * spread), 1.0)
