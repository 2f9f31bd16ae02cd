"""The scores of a model's answers, whether they are labels or numbers."""

from typing import Protocol

import numpy as np

from perennial_contracts.stats.quality import MetricName

from .counts import Counts
from .sums import Sums
from .task import Answers, Task


class Measured(Protocol):
    """What answers come to: a metric over all rows, or over resamples of blocks of them."""

    def value(self, metric: MetricName) -> float: ...

    def resampled(self, metric: MetricName, weights: np.ndarray) -> np.ndarray: ...


def measure(
    task: Task, truth: np.ndarray, answers: Answers, blocks: np.ndarray | None = None
) -> Measured:
    """Measures answers.

    Args:
        task: the classes, or that numbers are told.
        truth: shape (rows,): texts, or float64.
        answers: of the same rows.
        blocks: shape (rows,), the number of each row's block, from 0; one block where absent.
    """
    if task.kind == "Regression":
        one = np.zeros(len(truth), np.int64) if blocks is None else blocks
        return Sums(np.asarray(truth, np.float64), answers.values, one)
    return Counts(task, truth, answers, blocks)


def values(task: Task, truth: np.ndarray, answers: Answers) -> dict[str, float]:
    """All metrics that are defined, to six digits."""
    measured = measure(task, truth, answers)
    found = {metric: measured.value(metric) for metric in task.metrics}
    return {metric: round(value, 6) for metric, value in found.items() if not np.isnan(value)}
