"""The features of a model, and the form that rows have in every step.

Rows are a data frame with a column for each feature. Numbers are float32 with NaN for missing
values; texts are ``str`` with "" for missing values. Models are trained on float32 because they
are served float32: a tree that is fitted on doubles can split between a value and its rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.wire.bundle import Tensor
from perennial_contracts.wire.capture import COLUMNS
from perennial_contracts.wire.names import NUMPY_DTYPES, Datatype
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError

TEXT: Datatype = "BYTES"
NUMBER: Datatype = "FP32"


@dataclass(frozen=True)
class Feature:
    """An input of a model with one value for each row."""

    name: str
    datatype: Datatype = NUMBER
    is_column: bool = True
    """True for a tensor of shape (rows, 1), false for (rows,)."""

    @property
    def is_text(self) -> bool:
        return self.datatype == TEXT

    @classmethod
    def of(cls, tensor: Tensor) -> "Feature | None":
        """Return the feature of a tensor, None if it has several values for each row."""
        if tensor.shape not in ([-1, 1], [-1]):
            return None
        return cls(tensor.name, tensor.datatype, is_column=len(tensor.shape) == 2)


def infer(frame: pd.DataFrame, label: str) -> list[Feature]:
    """Return the features of a table: all columns except label and capture columns."""
    return [
        Feature(str(name), NUMBER if is_number(frame[name]) else TEXT)
        for name in frame.columns
        if name != label and name not in COLUMNS
    ]


def clean(frame: pd.DataFrame, features: Sequence[Feature], source: str) -> pd.DataFrame:
    """Return the features' columns in the form of this module, with an index from 0.

    Infinities become NaN, because no model can learn from them.

    Args:
        frame: a table with at least these columns.
        features: the columns, in the order of the result.
        source: the origin of the table, for messages.

    Raises:
        StepError: DataUnreadable if a column is missing or has the wrong type.
    """
    columns: dict[str, Any] = {}
    for feature in features:
        if feature.name not in frame.columns:
            raise StepError(
                TrainingFailure.DATA_UNREADABLE,
                f"expected a column {feature.name}, an input of the model, got "
                f"{list_columns(frame)}",
                field=source,
            )
        column = frame[feature.name]
        columns[feature.name] = (
            _texts(column) if feature.is_text else _numbers(column, feature.name, source)
        )
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def list_columns(frame: pd.DataFrame) -> str:
    """Return the names of the first columns of a table, for messages."""
    return ", ".join(map(str, frame.columns[:20]))


def is_number(column: "pd.Series[Any]") -> bool:
    """Return whether a column holds numbers or booleans."""
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def to_text(value: Any) -> str:
    """Return a value as text; bytes are UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbers(column: "pd.Series[Any]", name: str, source: str) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # a value beyond float32 becomes infinite
            numbers = column.to_numpy(np.float32, na_value=np.nan).copy()
    except (TypeError, ValueError) as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"column {name}: expected numbers, got {column.dtype}: {error}",
            field=source,
        ) from error
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _texts(column: "pd.Series[Any]") -> np.ndarray:
    missing = column.isna().to_numpy()
    values = column.to_numpy(object)
    return np.array(
        ["" if gone else to_text(value) for value, gone in zip(values, missing, strict=True)],
        object,
    )


def tensors(frame: pd.DataFrame, features: Sequence[Feature]) -> dict[str, np.ndarray]:
    """Return a model's inputs for clean rows, by feature: shape (rows, 1) or (rows,)."""
    feeds: dict[str, np.ndarray] = {}
    for feature in features:
        values = frame[feature.name].to_numpy(object if feature.is_text else np.float32)
        if not feature.is_text and feature.datatype != NUMBER:
            kind = NUMPY_DTYPES[feature.datatype]
            # A whole number cannot be missing; a server rejects NaN for it too.
            whole = not np.issubdtype(kind, np.floating)
            values = (np.nan_to_num(values) if whole else values).astype(kind)
        feeds[feature.name] = values.reshape(-1, 1) if feature.is_column else values
    return feeds
