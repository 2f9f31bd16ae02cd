"""Champion and challenger on the same rows, and how sure the difference between them is."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perennial_contracts.quality import MetricName
from perennial_contracts.retrainjob import Comparison

from .scores import Answers, Counts, Task, cut_blocks, draw

BLOCKS = 100
"""Enough for an interval's ends, and long enough to hold what comes together."""
RESAMPLES = 1000
LOW, HIGH = 0.025, 0.975

Where = Literal["Recent", "Reference"]


@dataclass(frozen=True)
class Gain:
    """A metric of both models on the same rows; ``low`` to ``high`` is the gain, 95 %."""

    metric: MetricName
    on: Where
    rows: int
    champion: float
    challenger: float
    low: float
    high: float

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
        task: the classes; all truths and answers are among them.
        truth: shape (rows,), texts, in the order of time.
        champion: answers to these rows.
        challenger: answers to these rows.
        on: which rows these are.
        seed: of the resamples.

    Returns:
        A gain for each metric that is defined.
    """
    blocks = cut_blocks(len(truth), BLOCKS)
    weights = draw(int(blocks.max(initial=0)) + 1, RESAMPLES, seed)
    old = Counts(task, truth, champion, blocks)
    new = Counts(task, truth, challenger, blocks)
    gains = []
    for metric in task.metrics:
        gained = new.resampled(metric, weights) - old.resampled(metric, weights)
        gained = gained[np.isfinite(gained)]
        before, after = old.value(metric), new.value(metric)
        if gained.size and math.isfinite(before) and math.isfinite(after):
            low, high = np.quantile(gained, [LOW, HIGH])
            gains.append(Gain(metric, on, len(truth), before, after, float(low), float(high)))
    return gains
