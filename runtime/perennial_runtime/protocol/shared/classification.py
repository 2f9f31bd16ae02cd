"""The classification extension: the highest values of each row, as text."""

import math
from collections.abc import Sequence

import numpy as np


def classify(values: np.ndarray, count: int, labels: Sequence[str] = ()) -> np.ndarray:
    """Return the ``count`` highest values of each row, highest first.

    Args:
        values: numbers; each entry of the first dimension is a row. An array with fewer than two
            dimensions is one row.
        labels: names of the classes in the order of a row's values; may be shorter.

    Returns:
        Strings ``value:index`` or ``value:index:label`` of shape [rows, count], or [count] if the
        values are one row. Of equal values the one of the lower index comes first; NaN counts as
        the lowest value.
    """
    shape = (1, values.size) if values.ndim < 2 else (len(values), math.prod(values.shape[1:]))
    rows = values.reshape(shape)
    is_float = rows.dtype.kind == "f"
    keys = np.where(np.isnan(rows), -np.inf, rows) if is_float else rows
    best = shape[1] - 1 - np.argsort(keys[:, ::-1], axis=1, kind="stable")[:, ::-1]
    best = best[:, :count]
    form = "{:f}:{}" if is_float else "{}:{}"
    texts = [
        f"{form.format(value, index)}:{labels[index]}"
        if index < len(labels)
        else form.format(value, index)
        for value, index in zip(
            np.take_along_axis(rows, best, 1).reshape(-1).tolist(),
            best.reshape(-1).tolist(),
            strict=True,
        )
    ]
    array = np.empty(best.size, object)
    array[:] = texts
    return array.reshape(best.shape if values.ndim > 1 else -1)
