"""Champion and challenger on the same rows, and how sure the difference between them is."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perennial_contracts.api.retrainjob_status import Comparison
from perennial_contracts.stats.quality import ERRORS, RELATIVE, MetricName

from .blocks import resample
from .intervals import BLOCKS, HIGH, LOW, RESAMPLES
from .scores import measure
from .task import Answers, Task

Where = Literal["Recent", "Reference"]


@dataclass(frozen=True)
class Gain:
    """A metric of both models on the same rows; ``low`` to ``high`` is the gain, 95 %.

    A gain is positive where the challenger is better, of an error that is the smaller one. Of the
    RELATIVE metrics it is a share of the champion's value.
    """

    metric: MetricName
    on: Where
    rows: int
    champion: float
    challenger: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """By how much the challenger is better over all rows."""
        return float(gained(self.metric, np.array(self.champion), np.array(self.challenger)))

    def to_contract(self) -> Comparison:
        """In thousandths; the interval is rounded to be wider, never to pass a gate by rounding."""
        return Comparison(
            metric=self.metric,
            on=self.on,
            rows=self.rows,
            championPermille=round(self.champion * 1000),
            challengerPermille=round(self.challenger * 1000),
            lowPermille=floor_permille(self.low),
            highPermille=ceil_permille(self.high),
        )


def gained(metric: MetricName, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What is gained from one value to the other; NaN where it is a share of nothing."""
    gain = np.asarray(before - after if metric in ERRORS else after - before)
    if metric not in RELATIVE:
        return gain
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(before == after, 0.0, gain / before)


def floor_permille(value: float) -> int:
    """Thousandths, rounded down but for what binary fractions add."""
    return math.floor(value * 1000 + 1e-9)


def ceil_permille(value: float) -> int:
    """Thousandths, rounded up but for what binary fractions add."""
    return math.ceil(value * 1000 - 1e-9)


def compare(
    task: Task, truth: np.ndarray, champion: Answers, challenger: Answers, on: Where, seed: int
) -> list[Gain]:
    """All metrics of both models, with the percentile interval of a paired block bootstrap.

    Both models are measured on the same resamples (Efron and Tibshirani, An Introduction to the
    Bootstrap, 1993, ch. 13), which draw contiguous blocks, since rows that come together are alike
    (Kuensch 1989). A resample on which a metric is not defined, for want of a class, is left out.

    Args:
        task: the classes, all truths and answers are among them; or that numbers are told.
        truth: shape (rows,), texts or float64, in the order of time.
        champion: answers to these rows.
        challenger: answers to these rows.
        on: which rows these are.
        seed: of the resamples.

    Returns:
        A gain for each metric that is defined.
    """
    blocks, weights = resample(len(truth), BLOCKS, RESAMPLES, seed)
    old = measure(task, truth, champion, blocks)
    new = measure(task, truth, challenger, blocks)
    gains = []
    for metric in task.metrics:
        gains_of = gained(metric, old.resampled(metric, weights), new.resampled(metric, weights))
        gains_of = gains_of[np.isfinite(gains_of)]
        before, after = old.value(metric), new.value(metric)
        if gains_of.size and math.isfinite(before) and math.isfinite(after):
            low, high = np.quantile(gains_of, [LOW, HIGH])
            gains.append(Gain(metric, on, len(truth), before, after, float(low), float(high)))
    return gains
