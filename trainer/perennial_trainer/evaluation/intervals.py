"""Scores with how sure they are."""

import numpy as np

from perennial_contracts.wire.modelcard import Score

from .blocks import resample
from .scores import measure
from .task import Answers, Task

BLOCKS = 100
"""Enough for an interval's ends, and long enough to hold what comes together."""
RESAMPLES = 1000
LOW, HIGH = 0.025, 0.975


def scores_of(
    task: Task, truth: np.ndarray, answers: Answers, seed: int, metrics: list[str] | None = None
) -> list[Score]:
    """Each metric that is defined, with the 95 % percentile interval of a block bootstrap.

    Args:
        task: the classes, or that numbers are told.
        truth: shape (rows,), in the order of time.
        answers: to these rows.
        seed: of the resamples.
        metrics: only these.
    """
    blocks, weights = resample(len(truth), BLOCKS, RESAMPLES, seed)
    measured = measure(task, truth, answers, blocks)
    found = []
    for metric in task.metrics:
        if metrics is not None and metric not in metrics:
            continue
        value, resampled = measured.value(metric), measured.resampled(metric, weights)
        resampled = resampled[np.isfinite(resampled)]
        if not np.isfinite(value):
            continue
        score = Score(metric=metric, value=round(value, 6))
        if resampled.size:
            low, high = np.quantile(resampled, [LOW, HIGH])
            score.low, score.high = round(float(low), 6), round(float(high), 6)
        found.append(score)
    return found
