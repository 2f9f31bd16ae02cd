"""The options and the result of a conversion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from perennial_contracts.wire.formats import Format
from perennial_contracts.wire.names import Datatype

Arrays = Mapping[str, np.ndarray]
"""Tensors by name. Their first dimension is the rows."""
Task = Literal["Classification", "Regression", "Tensors"]
"""Tensors means that the outputs have no known meaning."""
FORMAT_OPTION, SAMPLE_OPTION, TRUSTED_OPTION = "format", "sample", "trusted"
"""Fields of errors about an option. The caller replaces them by its own names."""
TOLERANCE = 1e-4
"""Largest difference that float32 explains: absolute up to 1, relative beyond."""


@dataclass(frozen=True)
class ConvertOptions:
    """Facts that the user states about the model."""

    trusted: bool = False
    """Read files that can run code when they are read, such as pickles."""
    sample: Path | None = None
    """Parquet file of rows to compare on.

    It has a column for each input, or for each column of the only input.
    """


@dataclass(frozen=True)
class Input:
    """An input of the model, with values that matter to the model."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    """-1 for the rows and for each other dimension of any size."""
    values: tuple[np.ndarray, ...] = ()
    """By column, values that matter to the model: thresholds, categories.

    A column without such values has an empty array; an input without columns has no arrays.
    """


@dataclass(frozen=True)
class Converted:
    """A model as ONNX, with the original to compare it with."""

    model: bytes
    format: Format
    converter: str
    """Name and version."""
    inputs: tuple[Input, ...]
    task: Task
    reference: Callable[[Arrays], dict[str, np.ndarray]] | None
    """Function that returns the original's outputs, by the names of the ONNX model's outputs.

    It raises ValueError for rows that the original rejects. None if the original is ONNX.
    """
    labels: tuple[str, ...] = ()
    """The classes of a classifier in the order of the probabilities, if known."""
    accepts_missing: bool = False
    """Both models must also agree on rows with NaN."""
    tolerance: float = TOLERANCE
    stray: float = 0.0
    """Share of rows that may differ by more.

    Float32 can move a value from a tree's threshold to the other side of it.
    """
    example: Arrays | None = None
    """Rows that were stored with the model."""
    columns: tuple[str, ...] = ()
    """Names of the columns if the only input has several, and they are known."""


def distinct_numbers(values: Any) -> np.ndarray:
    """Return the distinct finite numbers as float64, sorted."""
    found = np.unique(np.asarray(list(values), np.float64))
    return found[np.isfinite(found)]
