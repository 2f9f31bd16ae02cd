"""What a conversion is asked and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from perennial_contracts.wire.bundle import Datatype
from perennial_contracts.wire.formats import Format

Arrays = Mapping[str, np.ndarray]
"""Tensors by name, the first dimension of each the rows."""
Task = Literal["Classification", "Regression", "Tensors"]
"""Tensors: a model whose outputs are not known to be either."""
FORMAT_OPTION, SAMPLE_OPTION, TRUSTED_OPTION = "format", "sample", "trusted"
"""The fields of errors that are about an option; each edge has a name of its own for them."""
TOLERANCE = 1e-4
"""Largest difference that is put down to float32: absolute up to 1, relative beyond."""


@dataclass(frozen=True)
class ConvertOptions:
    """What the user says of the model."""

    trusted: bool = False
    """Whether files that can run code as they are read (pickles) may be read."""
    sample: Path | None = None
    """Rows to compare on, as Parquet: a column for each input, or for each column of the one."""


@dataclass(frozen=True)
class Input:
    """An input of the model, with what the model knows of its values."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    """-1 for the rows and for what is free."""
    values: tuple[np.ndarray, ...] = ()
    """By column, values that matter to the model (thresholds, categories); an empty array where
    it knows none, no arrays at all where the input has no columns."""


@dataclass(frozen=True)
class Converted:
    """A model as ONNX beside the original."""

    model: bytes
    format: Format
    converter: str
    """Name and version."""
    inputs: tuple[Input, ...]
    task: Task
    reference: Callable[[Arrays], dict[str, np.ndarray]] | None
    """The original's answers, by the names of the ONNX model's outputs; ValueError for rows that
    it refuses. None where there is no original: ONNX."""
    labels: tuple[str, ...] = ()
    """The classes in the order of the probabilities; classifiers only, where known."""
    bears_missing: bool = False
    """Whether rows with NaN are among those that it must agree on."""
    tolerance: float = TOLERANCE
    stray: float = 0.0
    """Share of rows that may differ by more: float32 puts a value that lies on a tree's threshold
    to the other side."""
    example: Arrays | None = None
    """Rows that came with the model."""
    columns: tuple[str, ...] = ()
    """Names of the columns of an only input of several, where known."""


def number(values: Any) -> np.ndarray:
    """Distinct finite numbers as float64, sorted."""
    found = np.unique(np.asarray(list(values), np.float64))
    return found[np.isfinite(found)]
