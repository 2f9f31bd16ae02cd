"""Scores with confidence intervals."""

import numpy as np

from perennial_contracts.wire.modelcard import Score

from .bootstrap import resample
from .scores import measure
from .task import RowPredictions, Task

BLOCKS = 100
"""Enough for the ends of an interval, and long enough to hold rows that are alike."""
RESAMPLES = 1000
LOW, HIGH = 0.025, 0.975


def scores_of(
    task: Task,
    truth: np.ndarray,
    predictions: RowPredictions,
    seed: int,
    metrics: list[str] | None = None,
) -> list[Score]:
    """Return each defined metric with the 95 % interval of a block bootstrap.

    Args:
        task: the task.
        truth: shape (rows,), in the order of time.
        predictions: predictions for these rows.
        seed: seed of the resamples.
        metrics: the metrics to compute; None for all.
    """
    blocks, weights = resample(len(truth), BLOCKS, RESAMPLES, seed)
    statistics = measure(task, truth, predictions, blocks)
    scores = []
    for metric in task.metrics:
        if metrics is not None and metric not in metrics:
            continue
        value, resampled = statistics.value(metric), statistics.resampled(metric, weights)
        resampled = resampled[np.isfinite(resampled)]
        if not np.isfinite(value):
            continue
        score = Score(metric=metric, value=round(value, 6))
        if resampled.size:
            low, high = np.quantile(resampled, [LOW, HIGH])
            score.low, score.high = round(float(low), 6), round(float(high), 6)
        scores.append(score)
    return scores
