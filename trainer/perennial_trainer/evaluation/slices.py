"""Parts of the rows, by the value of one feature, on which a model does better or worse."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import Slice

from ..data.features import Feature
from .intervals import scores_of
from .scores import measure
from .task import Answers, Task

LEAST_ROWS = 30
LEAST_SHARE = 0.02
MOST = 30
MOST_CATEGORIES = 20


def slices(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    task: Task,
    truth: np.ndarray,
    answers: Answers,
    metric: MetricName,
    seed: int,
) -> list[Slice]:
    """The slices whose score differs most from that of all rows, the farthest first.

    A text's slices are its most frequent values, a number's its thirds; missing values are one of
    their own. Those of fewer rows than LEAST_ROWS or LEAST_SHARE of all tell nothing.

    Args:
        frame: clean rows in the order of time.
        features: its columns.
        task: the classes, or that numbers are told.
        truth: shape (rows,).
        answers: to these rows.
        metric: what is measured.
        seed: of the intervals' resamples.
    """
    least = max(LEAST_ROWS, round(LEAST_SHARE * len(frame)))
    whole = measure(task, truth, answers).value(metric)
    found: list[tuple[float, str, str, np.ndarray]] = []
    for feature in features:
        for value, inside in _parts(frame[feature.name], feature.is_text):
            if least <= inside.sum() < len(frame):
                value_of = measure(task, truth[inside], answers[inside]).value(metric)
                if np.isfinite(value_of):
                    found.append((abs(value_of - whole), feature.name, value, inside))
    found.sort(key=lambda part: (-part[0], part[1], part[2]))
    told = []
    for _, name, value, inside in found[:MOST]:
        (score,) = scores_of(task, truth[inside], answers[inside], seed, [metric])
        told.append(Slice(feature=name, value=value, rows=int(inside.sum()), score=score))
    return told


def _parts(column: "pd.Series[Any]", is_text: bool) -> Iterator[tuple[str, np.ndarray]]:
    if is_text:
        texts = column.to_numpy(object)
        values, counts = np.unique(texts.astype(str), return_counts=True)
        for value in values[np.argsort(-counts, kind="stable")][:MOST_CATEGORIES]:
            yield (str(value) or "(missing)"), texts == value
        return
    numbers = column.to_numpy(np.float32)
    missing = np.isnan(numbers)
    yield "(missing)", missing
    known = numbers[~missing]
    if not known.size:
        return
    distinct = np.unique(known)
    if len(distinct) <= 3:
        for number in distinct:
            yield f"{number:g}", numbers == number
        return
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    yield f"below {low:.4g}", numbers < low
    yield f"{low:.4g} to {high:.4g}", (numbers >= low) & (numbers <= high)
    yield f"above {high:.4g}", numbers > high
