"""Slices: parts of the rows, by the value of one feature, on which scores differ."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import Slice

from .held_out import PredictedRows
from .intervals import scores_of
from .scores import measure

LEAST_ROWS = 30
LEAST_SHARE = 0.02
MOST = 30
MOST_CATEGORIES = 20


def slices(rows: PredictedRows, metric: MetricName, seed: int) -> list[Slice]:
    """Return the slices whose score differs most from that of all rows, in order.

    The slices of a text are its most frequent values, those of a number its thirds; missing values
    are a slice too. Slices with fewer rows than LEAST_ROWS or LEAST_SHARE of all are left out.

    Args:
        rows: the rows with a model's predictions.
        metric: the score.
        seed: seed of the intervals' resamples.
    """
    task, truth, predictions = rows.task, rows.truth, rows.predictions
    least = max(LEAST_ROWS, round(LEAST_SHARE * len(rows.frame)))
    whole = measure(task, truth, predictions).value(metric)
    found: list[tuple[float, str, str, np.ndarray]] = []
    for feature in rows.features:
        for value, inside in _parts(rows.frame[feature.name], feature.is_text):
            if least <= inside.sum() < len(rows.frame):
                score = measure(task, truth[inside], predictions[inside]).value(metric)
                if np.isfinite(score):
                    found.append((abs(score - whole), feature.name, value, inside))
    found.sort(key=lambda part: (-part[0], part[1], part[2]))
    chosen = []
    for _, name, value, inside in found[:MOST]:
        (with_interval,) = scores_of(task, truth[inside], predictions[inside], seed, [metric])
        chosen.append(Slice(feature=name, value=value, rows=int(inside.sum()), score=with_interval))
    return chosen


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
    present = numbers[~missing]
    if not present.size:
        return
    distinct = np.unique(present)
    if len(distinct) <= 3:
        for number in distinct:
            yield f"{number:g}", numbers == number
        return
    low, high = np.quantile(present, [1 / 3, 2 / 3])
    yield f"below {low:.4g}", numbers < low
    yield f"{low:.4g} to {high:.4g}", (numbers >= low) & (numbers <= high)
    yield f"above {high:.4g}", numbers > high
