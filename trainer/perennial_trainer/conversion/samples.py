"""Rows for the comparison of a converted model with its original."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.wire.names import NUMPY_DTYPES
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError, name_fields
from .converted import SAMPLE_OPTION, Arrays, Converted, Input

ROWS = 512
FIXED_SETS = 32
"""Number of sets for a model that accepts a fixed number of rows."""
UNKNOWN = "\ufffd unknown"
"""A text that is not in any training row."""


def draw(converted: Converted, sample: Path | None = None, seed: int = 0) -> list[Arrays]:
    """Return sets of rows: ordinary rows, then rows with missing and unknown values.

    The ordinary rows are the user's or those stored with the model. Without either, they are drawn
    around the values that matter to the model, or from the normal distribution.

    Args:
        converted: the model.
        sample: the user's rows, a Parquet file.
        seed: seed of the random numbers.

    Raises:
        StepError: DataUnreadable if the rows cannot be read or do not fit the inputs.
    """
    random = np.random.default_rng(seed)
    drawn = _drawn(converted, random)
    plain = drawn
    if sample is not None:
        with name_fields({"": SAMPLE_OPTION}):
            plain = _from_file(sample, converted)
    elif converted.example is not None:
        plain = {tensor.name: _fit(tensor, converted.example) for tensor in converted.inputs}
    sets: list[Arrays] = [plain]
    if plain is not drawn and _accepts(converted, drawn):
        sets.append(drawn)
    # A model with a fixed number of rows, such as one, accepts only sets of that size.
    if any(tensor.shape and tensor.shape[0] > 0 for tensor in converted.inputs):
        more = (_drawn(converted, random) for _ in range(FIXED_SETS - 1))
        sets += [rows for rows in more if _accepts(converted, rows)]
    for change in (_with_gaps, _with_unknown, _with_empty):
        changed = change(drawn, converted, random)
        if changed is not None and _accepts(converted, changed):
            sets.append(changed)
    return sets


def _drawn(converted: Converted, random: np.random.Generator) -> dict[str, np.ndarray]:
    drawn = {tensor.name: _draw(tensor, random) for tensor in converted.inputs}
    if converted.reference is None or _accepts(converted, drawn):
        return drawn
    # Whole numbers may be indices of a table, which has at least two rows.
    return {tensor.name: _draw(tensor, random, limit=2) for tensor in converted.inputs}


def _draw(tensor: Input, random: np.random.Generator, limit: int = 0) -> np.ndarray:
    """Draw values of an input; whole numbers are below ``limit`` unless it is 0."""
    element = np.dtype(NUMPY_DTYPES[tensor.datatype])
    if len(tensor.shape) and tensor.shape[0] > 0:
        shape: tuple[int, ...] = tensor.shape
    else:
        shape = (ROWS, *(extent if extent > 0 else 8 for extent in tensor.shape[1:]))
    if tensor.values and len(shape) == 2 and shape[1] == len(tensor.values):
        drawn = [_draw_column(values, tensor, shape[0], random) for values in tensor.values]
        return np.stack(drawn, axis=1).astype(element)
    if element.kind == "O":
        return np.array(["a", "b", UNKNOWN], object)[random.integers(0, 3, shape)]
    if element.kind == "b":
        return random.random(shape) < 0.5
    if np.issubdtype(element, np.integer):
        low, high = (-100, 100) if np.issubdtype(element, np.signedinteger) else (0, 200)
        low, high = (0, limit) if limit else (low, high)
        return random.integers(low, high, shape).astype(element)
    return random.normal(size=shape).astype(element)


def _draw_column(
    values: np.ndarray, tensor: Input, rows: int, random: np.random.Generator
) -> np.ndarray:
    if not len(values):
        if tensor.datatype == "BYTES":
            return np.array([UNKNOWN] * rows, object)
        return random.normal(size=rows)
    chosen = values[random.integers(0, len(values), rows)]
    if values.dtype.kind in "OUiub":
        return chosen
    # Near the thresholds and beyond, but rarely at them, because there float32 decides.
    spread = float(values.std()) or max(abs(float(values[0])), 1.0)
    moved: np.ndarray = chosen + random.normal(size=rows) * spread * 0.5
    return moved


def _with_gaps(
    rows: dict[str, np.ndarray], converted: Converted, random: np.random.Generator
) -> Arrays | None:
    floats = [name for name, values in rows.items() if values.dtype.kind == "f"]
    if not floats or not converted.accepts_missing:
        return None
    changed = dict(rows)
    for name in floats:
        values = rows[name].copy()
        values[random.random(values.shape) < 0.3] = np.nan
        values[: max(len(values) // 32, 1)] = np.nan
        changed[name] = values
    return changed


def _with_unknown(
    rows: dict[str, np.ndarray], converted: Converted, random: np.random.Generator
) -> Arrays | None:
    return _replace_texts(rows, UNKNOWN, random)


def _with_empty(
    rows: dict[str, np.ndarray], converted: Converted, random: np.random.Generator
) -> Arrays | None:
    return _replace_texts(rows, "", random)


def _replace_texts(
    rows: dict[str, np.ndarray], text: str, random: np.random.Generator
) -> Arrays | None:
    texts = [name for name, values in rows.items() if values.dtype.kind == "O"]
    changed = dict(rows)
    for name in texts:
        values = rows[name].copy()
        values[random.random(values.shape) < 0.3] = text
        changed[name] = values
    return changed if texts else None


def _accepts(converted: Converted, rows: Arrays) -> bool:
    """Return whether the original accepts such rows; else no agreement is needed."""
    if converted.reference is None:
        return False
    try:
        converted.reference(rows)
    except Exception:  # each framework has error types of its own
        return False
    return True


def _from_file(path: Path, converted: Converted) -> dict[str, np.ndarray]:
    try:
        frame = _read(path)
    except Exception as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected rows as Parquet: {type(error).__name__}: {error}",
        ) from error
    if not len(frame):
        raise StepError(TrainingFailure.DATA_UNREADABLE, "expected rows, got none")
    inputs = converted.inputs
    if len(inputs) == 1 and inputs[0].name not in frame.columns:
        return {inputs[0].name: _table(frame, inputs[0], converted.columns)}
    missing = [tensor.name for tensor in inputs if tensor.name not in frame.columns]
    if missing:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected a column for each input, got none for {', '.join(missing)}; "
            f"there are {', '.join(frame.columns)}",
        )
    columns = {tensor.name: frame[tensor.name].to_numpy() for tensor in inputs}
    return {tensor.name: _fit(tensor, columns) for tensor in inputs}


def _read(path: Path) -> pd.DataFrame:
    import duckdb

    with duckdb.connect() as connection:
        frame: pd.DataFrame = connection.read_parquet(str(path)).limit(4 * ROWS).df()
        return frame


def _table(frame: pd.DataFrame, tensor: Input, names: Sequence[str]) -> np.ndarray:
    width = tensor.shape[1] if len(tensor.shape) == 2 else -1
    chosen = list(names) if set(names) <= set(frame.columns) and names else list(frame.columns)
    if len(chosen) != width:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected the {width} columns of input {tensor.name}, got {len(chosen)}: "
            f"{', '.join(chosen[:20])}",
        )
    return _fit(tensor, {tensor.name: frame[chosen].to_numpy()})


def _from_lists(values: np.ndarray, tensor: Input) -> np.ndarray:
    """Build a tensor from a column of nested lists, or of flat lists in C order."""
    array = np.array([_nested(value) for value in values])
    extents = tensor.shape[1:]
    if array.ndim == 2 and len(extents) > 1 and all(extent > 0 for extent in extents):
        return array.reshape(len(array), *extents)
    return array


def _nested(value: Any) -> Any:
    if isinstance(value, list | np.ndarray):
        return [_nested(inner) for inner in value]
    return value


def _fit(tensor: Input, columns: Arrays) -> np.ndarray:
    """Return values with the type and rank of an input."""
    try:
        values = np.asarray(columns[tensor.name])
        if values.dtype == object and len(values) and isinstance(values.flat[0], list | np.ndarray):
            values = _from_lists(values, tensor)
        if tensor.datatype == "BYTES":
            values = np.array(
                ["" if value is None or value != value else str(value) for value in values.ravel()],
                object,
            ).reshape(values.shape)
        values = values.astype(NUMPY_DTYPES[tensor.datatype])
        if len(tensor.shape) == 2 and values.ndim == 1:
            values = values.reshape(-1, 1)
    except (KeyError, TypeError, ValueError) as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"input {tensor.name}: expected {tensor.datatype}: {error}",
        ) from error
    if len(values.shape) != len(tensor.shape) or any(
        want > 0 and want != got
        for want, got in zip(tensor.shape[1:], values.shape[1:], strict=True)
    ):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"input {tensor.name}: expected shape {list(tensor.shape)}, got {list(values.shape)}",
        )
    return values
