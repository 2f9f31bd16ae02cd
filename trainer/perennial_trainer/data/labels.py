"""Labels in the form for training, and labels that clients sent as text."""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .features import is_number, to_text


def clean_truth(column: "pd.Series[Any]", name: str, source: str, task: TaskName) -> np.ndarray:
    """Return labels for a classifier, numbers for a regressor.

    Raises:
        StepError: as :func:`clean_labels` and :func:`clean_numbers`.
    """
    if task == "Regression":
        return clean_numbers(column, name, source)
    return clean_labels(column, name, source)


def clean_labels(column: "pd.Series[Any]", name: str, source: str) -> np.ndarray:
    """Return labels for a classifier: int64 if all are whole numbers, else texts.

    Args:
        column: the labels as they were read.
        name: the name of the column, for messages.
        source: the origin of the column, for messages.

    Returns:
        Shape (rows,), int64 or object (of ``str``).

    Raises:
        StepError: DataUnreadable if a label is missing or a number with a fraction.
    """
    _check_none_missing(column, name, source)
    if not is_number(column):
        return np.array([to_text(value) for value in column.to_numpy(object)], object)
    numbers = column.to_numpy(np.float64)
    fractions = [number for number in numbers if not math.isfinite(number) or number % 1]
    if fractions:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"column {name}: expected classes (texts or whole numbers), got {fractions[0]}",
            field=source,
            hint="To predict numbers set search.task: Regression",
        )
    return numbers.astype(np.int64)


def clean_numbers(column: "pd.Series[Any]", name: str, source: str) -> np.ndarray:
    """Return labels as a regressor learns them; shape (rows,), float64.

    Args:
        column: numbers, or texts of numbers.
        name: the name of the column, for messages.
        source: the origin of the column, for messages.

    Raises:
        StepError: DataUnreadable if a value is missing or not a finite number.
    """
    _check_none_missing(column, name, source)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    invalid = np.flatnonzero(~np.isfinite(numbers))
    if len(invalid):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"column {name}: expected a number in each row (search.task: Regression), "
            f"got {column.iloc[invalid[0]]!r}",
            field=source,
        )
    return numbers


def _check_none_missing(column: "pd.Series[Any]", name: str, source: str) -> None:
    missing = int(column.isna().sum())
    if missing:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"column {name}: expected a label in each row, got none in {missing} of {len(column)}",
            field=source,
        )


def as_text(labels: Iterable[Any]) -> np.ndarray:
    """Return labels as in predictions, feedback and bundles; shape (rows,), object."""
    return np.array([str(label) for label in labels], object)


def sort_labels(labels: Iterable[str]) -> list[str]:
    """Return the distinct labels in the order of a model's classes.

    Labels that are all whole numbers are sorted by number.

    >>> sort_labels(["10", "9", "10"])
    ['9', '10']
    """
    distinct = set(labels)
    return sorted(distinct, key=int) if are_whole(distinct) else sorted(distinct)


def are_whole(texts: Collection[str]) -> bool:
    """Return whether all texts are whole numbers as Python writes them."""
    return all(text.removeprefix("-").isdecimal() and text == str(int(text)) for text in texts)


def parse(texts: np.ndarray, whole: bool) -> np.ndarray:
    """Return texts as int64 if they are whole numbers, else unchanged; shape (rows,)."""
    return np.array([int(text) for text in texts], np.int64) if whole else texts


def find_learnable(
    texts: np.ndarray, classes: Collection[str] | None, task: TaskName
) -> np.ndarray:
    """Return which labels a model can learn; shape (rows,), bool.

    Args:
        texts: the labels as clients sent them, shape (rows,).
        classes: the classes of the model and of the baseline; None if neither is known.
        task: a regressor learns every finite number.
    """
    if task == "Regression":
        numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
        return np.asarray(np.isfinite(numbers.to_numpy(np.float64)))
    if classes is None:
        return np.ones(len(texts), bool)
    return np.isin(texts.astype(str), sorted(classes))


def describe_skipped(texts: np.ndarray, task: TaskName) -> str:
    """Return a sentence about the rows left out for these labels; "" if none are."""
    if not len(texts):
        return ""
    problem = "are no numbers" if task == "Regression" else "neither model nor baseline has"
    shown = ", ".join(text[:40] for text in sorted(set(texts))[:10])
    return f"{len(texts):,} rows are left out because of labels that {problem}: {shown}"


def known_classes(champion: Sequence[str] | None, baseline: np.ndarray | None) -> set[str] | None:
    """Return the classes of the champion and of the baseline, None if neither has any.

    Raises:
        StepError: DataUnreadable if the two have no class in common.
    """
    of_baseline = set(np.unique(as_text(baseline))) if baseline is not None else None
    if champion and of_baseline and not of_baseline & set(champion):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected the classes of the model, {', '.join(champion[:10])}, "
            f"got {', '.join(sorted(of_baseline)[:10])}",
            field="data.label",
        )
    if not champion and of_baseline is None:
        return None
    return set(champion or ()) | (of_baseline or set())
