"""Regression models: one number for each row, in the output ``prediction``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from perennial_contracts.wire.names import PREDICTION

from .classes import Classes, label_text
from .signature import TensorSpec


def is_regression(outputs: Sequence[TensorSpec], classes: Classes | None) -> bool:
    """Return whether a model has one output, with one number for each row."""
    return (
        classes is None
        and len(outputs) == 1
        and outputs[0].name == PREDICTION
        and outputs[0].is_column
        and outputs[0].datatype.startswith("FP")
    )


def number_texts(numbers: np.ndarray) -> list[str | None]:
    """Return predicted numbers as the shortest exact text; None for NaN.

    >>> number_texts(np.array([0.1, 12, np.nan], np.float32))
    ['0.1', '12', None]
    """
    return [None if x != x else label_text(float(str(x))) for x in numbers.reshape(-1)]


def number_label(label: Any) -> str | None:
    """Return a true number from a client as text; None if it is no finite number."""
    if type(label) not in (int, float) or not np.isfinite(label):
        return None
    return label_text(label)
