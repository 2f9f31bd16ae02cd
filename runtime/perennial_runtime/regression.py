"""A model of one number a row: what its output ``prediction`` means."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .classes import Classes, label_text
from .signature import TensorSpec

PREDICTION = "prediction"


def is_regression(outputs: Sequence[TensorSpec], classes: Classes | None) -> bool:
    """Whether a model answers one number a row, and nothing else."""
    return (
        classes is None
        and len(outputs) == 1
        and outputs[0].name == PREDICTION
        and outputs[0].is_column
        and outputs[0].datatype.startswith("FP")
    )


def number_texts(numbers: np.ndarray) -> list[str | None]:
    """Predicted numbers as text with as few digits as tell them apart; None for NaN.

    >>> number_texts(np.array([0.1, 12, np.nan], np.float32))
    ['0.1', '12', None]
    """
    return [None if x != x else label_text(float(str(x))) for x in numbers.reshape(-1)]


def number_label(label: Any) -> str | None:
    """A true number that a client sends, as text; None where it is no finite number."""
    if type(label) not in (int, float) or not np.isfinite(label):
        return None
    return label_text(label)
