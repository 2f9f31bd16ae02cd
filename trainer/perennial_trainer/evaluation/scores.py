"""The scores of predictions, of classifiers and of regressors."""

from typing import Protocol

import numpy as np

from perennial_contracts.stats.quality import MetricName

from .classification import ClassificationStatistics
from .regression import RegressionStatistics
from .task import RowPredictions, Task


class BlockStatistics(Protocol):
    """Statistics of predictions by block, from which every metric can be computed."""

    def value(self, metric: MetricName) -> float:
        """Return the metric over all rows."""
        ...

    def resampled(self, metric: MetricName, weights: np.ndarray) -> np.ndarray:
        """Return the metric over resamples of blocks."""
        ...


def measure(
    task: Task, truth: np.ndarray, predictions: RowPredictions, blocks: np.ndarray | None = None
) -> BlockStatistics:
    """Gather the statistics of predictions.

    Args:
        task: the task.
        truth: shape (rows,): texts, or float64 for a regression.
        predictions: predictions for the same rows.
        blocks: number of each row's block, from 0, shape (rows,); None for a single block.
    """
    if task.kind == "Regression":
        single = np.zeros(len(truth), np.int64) if blocks is None else blocks
        return RegressionStatistics(np.asarray(truth, np.float64), predictions.values, single)
    return ClassificationStatistics(task, truth, predictions, blocks)


def values(task: Task, truth: np.ndarray, predictions: RowPredictions) -> dict[str, float]:
    """Return all metrics that are defined, rounded to six decimals."""
    statistics = measure(task, truth, predictions)
    found = {metric: statistics.value(metric) for metric in task.metrics}
    return {metric: round(value, 6) for metric, value in found.items() if not np.isnan(value)}
