"""Comparison of champion and challenger on the same rows, with intervals."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perennial_contracts.api.retrainjob_status import Comparison
from perennial_contracts.stats.quality import ERRORS, RELATIVE, MetricName

from .bootstrap import resample
from .intervals import BLOCKS, HIGH, LOW, RESAMPLES
from .scores import measure
from .task import RowPredictions, Task

RowSet = Literal["Recent", "Reference"]


@dataclass(frozen=True)
class Gain:
    """A metric of both models on the same rows, and the challenger's gain.

    A gain is positive if the challenger is better; for an error that is the smaller one. For the
    RELATIVE metrics it is a share of the champion's value.
    """

    metric: MetricName
    on: RowSet
    rows: int
    champion: float
    challenger: float
    low: float
    """Lower bound of the gain, 95 %."""
    high: float
    """Upper bound of the gain, 95 %."""

    @property
    def gain(self) -> float:
        """The gain over all rows."""
        return float(compute_gain(self.metric, np.array(self.champion), np.array(self.challenger)))

    def to_contract(self) -> Comparison:
        """Return the comparison in thousandths.

        The interval is rounded outwards, so that no gate is passed by rounding.
        """
        return Comparison(
            metric=self.metric,
            on=self.on,
            rows=self.rows,
            championPermille=round(self.champion * 1000),
            challengerPermille=round(self.challenger * 1000),
            lowPermille=floor_permille(self.low),
            highPermille=ceil_permille(self.high),
        )


def compute_gain(metric: MetricName, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the gain from one value to the other; NaN if it is a share of zero."""
    gain = np.asarray(before - after if metric in ERRORS else after - before)
    if metric not in RELATIVE:
        return gain
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(before == after, 0.0, gain / before)


def floor_permille(value: float) -> int:
    """Round down to thousandths, but ignore the error of binary fractions."""
    return math.floor(value * 1000 + 1e-9)


def ceil_permille(value: float) -> int:
    """Round up to thousandths, but ignore the error of binary fractions."""
    return math.ceil(value * 1000 - 1e-9)


def compare(
    task: Task,
    truth: np.ndarray,
    champion: RowPredictions,
    challenger: RowPredictions,
    on: RowSet,
    seed: int,
) -> list[Gain]:
    """Return all metrics of both models, with intervals of a paired bootstrap.

    Both models are measured on the same resamples (Efron and Tibshirani, An Introduction to the
    Bootstrap, 1993, ch. 13), which draw contiguous blocks, because rows that are close in time are
    alike (Kuensch 1989). A resample on which a metric is not defined, for example because it lacks
    a class, is left out.

    Args:
        task: the task, with all labels that occur as its classes.
        truth: shape (rows,), texts or float64, in the order of time.
        champion: predictions for these rows.
        challenger: predictions for these rows.
        on: name of the rows.
        seed: seed of the resamples.

    Returns:
        A gain for each metric that is defined.
    """
    blocks, weights = resample(len(truth), BLOCKS, RESAMPLES, seed)
    old = measure(task, truth, champion, blocks)
    new = measure(task, truth, challenger, blocks)
    gains = []
    for metric in task.metrics:
        resampled = compute_gain(
            metric, old.resampled(metric, weights), new.resampled(metric, weights)
        )
        resampled = resampled[np.isfinite(resampled)]
        before, after = old.value(metric), new.value(metric)
        if resampled.size and math.isfinite(before) and math.isfinite(after):
            low, high = np.quantile(resampled, [LOW, HIGH])
            gains.append(Gain(metric, on, len(truth), before, after, float(low), float(high)))
    return gains
