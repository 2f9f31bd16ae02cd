"""Rows to compare a converted model with its original on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError, name_fields
from .converted import SAMPLE_OPTION, Arrays, Converted, Input

ROWS = 512
FIXED_SETS = 32
"""As many for a model that takes a fixed number of rows."""
UNKNOWN = "\ufffd unknown"
"""A text that no training row has."""
_NUMPY = {
    "BOOL": bool, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32,
    "UINT64": np.uint64, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "BYTES": object,
}  # fmt: skip


def draw(converted: Converted, sample: Path | None = None, seed: int = 0) -> list[Arrays]:
    """Sets of rows: ordinary ones, then such with missing and with unknown values.

    The ordinary ones are the user's where there are some, or what came with the model; else they
    are drawn around the values that matter to the model, or from the normal distribution.

    Args:
        converted: the model.
        sample: the user's rows, as Parquet.
        seed: of what is random.

    Raises:
        StepError: DataUnreadable, for rows that cannot be read or do not fit the inputs.
    """
    random = np.random.default_rng(seed)
    drawn = _drawn(converted, random)
    plain = drawn
    if sample is not None:
        with name_fields({"": SAMPLE_OPTION}):
            plain = _from_file(sample, converted)
    elif converted.example is not None:
        plain = {one.name: _fit(one, converted.example) for one in converted.inputs}
    sets: list[Arrays] = [plain]
    if plain is not drawn and _bears(converted, drawn):
        sets.append(drawn)
    # A model with a fixed number of rows, which may be one, answers these and no others.
    if any(one.shape and one.shape[0] > 0 for one in converted.inputs):
        more = (_drawn(converted, random) for _ in range(FIXED_SETS - 1))
        sets += [rows for rows in more if _bears(converted, rows)]
    for change in (_with_gaps, _with_unknown, _with_empty):
        changed = change(drawn, converted, random)
        if changed is not None and _bears(converted, changed):
            sets.append(changed)
    return sets


def _drawn(converted: Converted, random: np.random.Generator) -> dict[str, np.ndarray]:
    drawn = {one.name: _draw(one, random) for one in converted.inputs}
    if converted.reference is None or _bears(converted, drawn):
        return drawn
    # Whole numbers may be places in a table, which has a first and a second one at least.
    return {one.name: _draw(one, random, places=2) for one in converted.inputs}


def _draw(one: Input, random: np.random.Generator, places: int = 0) -> np.ndarray:
    """Values of an input; whole numbers below ``places`` where that is not 0."""
    element = _NUMPY[one.datatype]
    if len(one.shape) and one.shape[0] > 0:
        shape: tuple[int, ...] = one.shape
    else:
        shape = (ROWS, *(extent if extent > 0 else 8 for extent in one.shape[1:]))
    if one.values and len(shape) == 2 and shape[1] == len(one.values):
        made = [_column(known, one, shape[0], random) for known in one.values]
        return np.stack(made, axis=1).astype(element)
    if element is object:
        return np.array(["a", "b", UNKNOWN], object)[random.integers(0, 3, shape)]
    if element is bool:
        return random.random(shape) < 0.5
    if np.issubdtype(element, np.integer):
        low, high = (-100, 100) if np.issubdtype(element, np.signedinteger) else (0, 200)
        low, high = (0, places) if places else (low, high)
        return random.integers(low, high, shape).astype(element)
    return random.normal(size=shape).astype(element)


def _column(known: np.ndarray, one: Input, rows: int, random: np.random.Generator) -> np.ndarray:
    if not len(known):
        if one.datatype == "BYTES":
            return np.array([UNKNOWN] * rows, object)
        return random.normal(size=rows)
    chosen = known[random.integers(0, len(known), rows)]
    if known.dtype.kind in "OUiub":
        return chosen
    # Near the thresholds and beyond them, but seldom on them: there float32 decides.
    spread = float(known.std()) or max(abs(float(known[0])), 1.0)
    moved: np.ndarray = chosen + random.normal(size=rows) * spread * 0.5
    return moved


def _with_gaps(
    rows: dict[str, np.ndarray], converted: Converted, random: np.random.Generator
) -> Arrays | None:
    floats = [name for name, values in rows.items() if values.dtype.kind == "f"]
    if not floats or not converted.bears_missing:
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


def _bears(converted: Converted, rows: Arrays) -> bool:
    """Whether the original takes such rows; one that refuses them need not agree on them."""
    if converted.reference is None:
        return False
    try:
        converted.reference(rows)
    except Exception:  # each framework refuses by errors of its own
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
    missing = [one.name for one in inputs if one.name not in frame.columns]
    if missing:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected a column for each input, got none for {', '.join(missing)}; "
            f"there are {', '.join(frame.columns)}",
        )
    columns = {one.name: frame[one.name].to_numpy() for one in inputs}
    return {one.name: _fit(one, columns) for one in inputs}


def _read(path: Path) -> pd.DataFrame:
    import duckdb

    with duckdb.connect() as connection:
        frame: pd.DataFrame = connection.read_parquet(str(path)).limit(4 * ROWS).df()
        return frame


def _table(frame: pd.DataFrame, one: Input, names: Sequence[str]) -> np.ndarray:
    width = one.shape[1] if len(one.shape) == 2 else -1
    chosen = list(names) if set(names) <= set(frame.columns) and names else list(frame.columns)
    if len(chosen) != width:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected the {width} columns of input {one.name}, got {len(chosen)}: "
            f"{', '.join(chosen[:20])}",
        )
    return _fit(one, {one.name: frame[chosen].to_numpy()})


def _from_lists(values: np.ndarray, one: Input) -> np.ndarray:
    """A column of lists as a tensor: nested ones, or flat ones of a row's numbers in C order."""
    tensor = np.array([_nested(value) for value in values])
    extents = one.shape[1:]
    if tensor.ndim == 2 and len(extents) > 1 and all(extent > 0 for extent in extents):
        return tensor.reshape(len(tensor), *extents)
    return tensor


def _nested(value: Any) -> Any:
    if isinstance(value, list | np.ndarray):
        return [_nested(inner) for inner in value]
    return value


def _fit(one: Input, columns: Arrays) -> np.ndarray:
    """Values in an input's type and rank."""
    try:
        values = np.asarray(columns[one.name])
        if values.dtype == object and len(values) and isinstance(values.flat[0], list | np.ndarray):
            values = _from_lists(values, one)
        if one.datatype == "BYTES":
            values = np.array(
                ["" if value is None or value != value else str(value) for value in values.ravel()],
                object,
            ).reshape(values.shape)
        values = values.astype(_NUMPY[one.datatype])
        if len(one.shape) == 2 and values.ndim == 1:
            values = values.reshape(-1, 1)
    except (KeyError, TypeError, ValueError) as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"input {one.name}: expected {one.datatype}: {error}",
        ) from error
    if len(values.shape) != len(one.shape) or any(
        want > 0 and want != got for want, got in zip(one.shape[1:], values.shape[1:], strict=True)
    ):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"input {one.name}: expected shape {list(one.shape)}, got {list(values.shape)}",
        )
    return values
