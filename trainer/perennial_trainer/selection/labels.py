"""The truth as models learn it."""

from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.modelcard import TaskName
from perennial_contracts.training import TrainingFailure

from ..errors import StepError
from ..features import clean_labels


def clean_truth(column: "pd.Series[Any]", name: str, source: str, task: TaskName) -> np.ndarray:
    """Labels for a classifier, numbers for a regressor.

    Args:
        column: what was read, none missing.
        name: the column's name, for messages.
        source: where the column comes from, for messages.
        task: what is learnt.

    Returns:
        Shape (rows,): int64 or object (of ``str``) for classes, float64 for numbers.

    Raises:
        StepError: DataUnreadable, for what is missing or not of the task.
    """
    if task == "Classification":
        return clean_labels(column, name, source)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    odd = np.flatnonzero(~np.isfinite(numbers))
    if len(odd):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{source}: column {name}: expected a number in each row (search.task: Regression), "
            f"got {column.iloc[odd[0]]!r} in row {odd[0]}",
        )
    return numbers
