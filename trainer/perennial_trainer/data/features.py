"""What a model takes: its features, and rows of them as every step holds them.

Rows are a data frame with a column per feature: numbers are float32 with NaN where a value is
missing, texts are ``str`` with "" there. Models learn from float32 because they are served float32:
a tree that was fitted on doubles can cut between a value and its rounding.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.wire.bundle import Tensor
from perennial_contracts.wire.capture import COLUMNS
from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.names import NUMPY_DTYPES, Datatype
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError

TEXT: Datatype = "BYTES"
NUMBER: Datatype = "FP32"


@dataclass(frozen=True)
class Feature:
    """One input of a model: a value a row."""

    name: str
    datatype: Datatype = NUMBER
    is_column: bool = True
    """Whether the tensor has shape (rows, 1); else (rows,)."""

    @property
    def is_text(self) -> bool:
        return self.datatype == TEXT

    @classmethod
    def of(cls, tensor: Tensor) -> "Feature | None":
        """The feature that a tensor holds; None where it holds more than one value a row."""
        if tensor.shape not in ([-1, 1], [-1]):
            return None
        return cls(tensor.name, tensor.datatype, is_column=len(tensor.shape) == 2)


def infer(frame: pd.DataFrame, label: str) -> list[Feature]:
    """The features of a table: all its columns but the label and those that a capture adds.

    Raises:
        StepError: DataUnreadable, for a column that is neither numbers, texts nor truth values.
    """
    return [
        Feature(str(name), NUMBER if _is_number(frame[name]) else TEXT)
        for name in frame.columns
        if name != label and name not in COLUMNS
    ]


def clean(frame: pd.DataFrame, features: Sequence[Feature], source: str) -> pd.DataFrame:
    """The features' columns of a table as they are held here, with an index from 0.

    Infinities become NaN: no model learns from them.

    Args:
        frame: a table with at least these columns.
        features: which columns, in which order.
        source: where the table comes from, for messages.

    Raises:
        StepError: DataUnreadable, for a column that is missing or of the wrong type.
    """
    columns: dict[str, Any] = {}
    for feature in features:
        if feature.name not in frame.columns:
            have = ", ".join(map(str, frame.columns[:20]))
            raise StepError(
                TrainingFailure.DATA_UNREADABLE,
                f"{source}: expected a column {feature.name}, an input of the model, got {have}",
            )
        column = frame[feature.name]
        columns[feature.name] = (
            _texts(column) if feature.is_text else _numbers(column, feature.name, source)
        )
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def _is_number(column: "pd.Series[Any]") -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def _numbers(column: "pd.Series[Any]", name: str, source: str) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is as good as infinite
            numbers = column.to_numpy(np.float32, na_value=np.nan).copy()
    except (TypeError, ValueError) as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{source}: column {name}: expected numbers, got {column.dtype}: {error}",
        ) from error
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _texts(column: "pd.Series[Any]") -> np.ndarray:
    return np.array(["" if value is None else value for value in _listed(column)], object)


def _listed(column: "pd.Series[Any]") -> list[str | None]:
    missing = column.isna().to_numpy()
    values = column.to_numpy(object)
    return [None if gone else _text(value) for value, gone in zip(values, missing, strict=True)]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def clean_numbers(column: "pd.Series[Any]", name: str, source: str) -> np.ndarray:
    """The truth as a regressor learns it; shape (rows,), float64.

    Args:
        column: numbers, or texts that are numbers, none missing.
        name: the column's name, for messages.
        source: where the column comes from, for messages.

    Raises:
        StepError: DataUnreadable, for a value that is missing or no finite number.
    """
    _check_none_missing(column, name, source)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    odd = np.flatnonzero(~np.isfinite(numbers))
    if len(odd):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{source}: column {name}: expected a number in each row (search.task: Regression), "
            f"got {column.iloc[odd[0]]!r}",
        )
    return numbers


def _check_none_missing(column: "pd.Series[Any]", name: str, source: str) -> None:
    missing = int(column.isna().sum())
    if missing:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{source}: column {name}: expected a label in each row, "
            f"got none in {missing} of {len(column)}",
        )


def clean_truth(column: "pd.Series[Any]", name: str, source: str, task: TaskName) -> np.ndarray:
    """Labels for a classifier, numbers for a regressor.

    Raises:
        StepError: as :func:`clean_labels` and :func:`clean_numbers`.
    """
    if task == "Regression":
        return clean_numbers(column, name, source)
    return clean_labels(column, name, source)


def clean_labels(column: "pd.Series[Any]", name: str, source: str) -> np.ndarray:
    """Labels as a model learns them: int64 where all are whole numbers, else texts.

    Args:
        column: the labels as they were read, none missing.
        name: the column's name, for messages.
        source: where the column comes from, for messages.

    Returns:
        Shape (rows,), int64 or object (of ``str``).

    Raises:
        StepError: DataUnreadable, for labels that are missing or numbers with fractions.
    """
    _check_none_missing(column, name, source)
    if not _is_number(column):
        return np.array([_text(value) for value in column.to_numpy(object)], object)
    numbers = column.to_numpy(np.float64)
    odd = [number for number in numbers if not math.isfinite(number) or number % 1]
    if odd:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{source}: column {name}: expected classes (texts or whole numbers), got {odd[0]}. "
            "For numbers say search.task: Regression",
        )
    return numbers.astype(np.int64)


def as_text(labels: Iterable[Any]) -> np.ndarray:
    """Labels in the form that answers, feedback and bundles have; shape (rows,), object."""
    return np.array([str(label) for label in labels], object)


def sort_labels(labels: Iterable[str]) -> list[str]:
    """Each label once; whole numbers in the order of numbers, as a model has its classes.

    >>> sort_labels(["10", "9", "10"])
    ['9', '10']
    """
    once = set(labels)
    return sorted(once, key=int) if all(map(_is_whole, once)) else sorted(once)


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text == str(int(text))


def tensors(frame: pd.DataFrame, features: Sequence[Feature]) -> dict[str, np.ndarray]:
    """What a model is fed for some clean rows: by feature, shape (rows, 1) or (rows,)."""
    fed: dict[str, np.ndarray] = {}
    for feature in features:
        values = frame[feature.name].to_numpy(object if feature.is_text else np.float32)
        if not feature.is_text and feature.datatype != NUMBER:
            kind = NUMPY_DTYPES[feature.datatype]
            # A whole number cannot be missing; a server would not have taken it either.
            whole = not np.issubdtype(kind, np.floating)
            values = (np.nan_to_num(values) if whole else values).astype(kind)
        fed[feature.name] = values.reshape(-1, 1) if feature.is_column else values
    return fed


def digest_rows(frames: Iterable[pd.DataFrame]) -> str:
    """The digest of the contents of some tables, whatever file they came from.

    SHA-256 over each column's name, kind and values: float32 or int64 in little-endian order with
    one NaN, texts as UTF-8, each after its length.
    """
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(f"{len(frame)} rows".encode())
        for name in frame.columns:
            values = frame[name].to_numpy()
            if values.dtype.kind == "f":
                data = np.where(np.isnan(values), np.nan, values).astype("<f4").tobytes()
            elif values.dtype.kind in "iu":
                data = values.astype("<i8").tobytes()
            else:
                encoded = [str(value).encode() for value in values]
                data = b"".join(len(text).to_bytes(8, "little") + text for text in encoded)
            title = str(name).encode()
            digest.update(len(title).to_bytes(8, "little") + title + values.dtype.kind.encode())
            digest.update(data)
    return f"sha256:{digest.hexdigest()}"
