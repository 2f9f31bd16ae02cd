"""Captured rows as Parquet. Imported only where something is captured."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from perennial_contracts.capture import LABEL, PREDICTION_ID, SCORE, TIME

from ..classes import Classes
from ..regression import number_texts
from ..signature import TensorSpec
from .tally import Batch

COMPRESSION = "zstd(1)"


@dataclass(frozen=True, slots=True)
class Predictions:
    """The rows of one request that are kept."""

    time: int
    """Milliseconds since 1970."""
    ids: Sequence[str]
    batch: Batch
    places: Sequence[int] | None
    """Which rows of the batch the ids are of; None: all."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that came in one request."""

    time: int
    """Milliseconds since 1970."""
    ids: Sequence[str]
    labels: Sequence[str]


def predictions_file(
    features: Sequence[TensorSpec], classes: Classes | None, parts: Sequence[Predictions]
) -> bytes:
    """A Parquet file with a row for each prediction; missing values are null."""
    columns: dict[str, Any] = {
        spec.name: _column(spec, _joined(parts, [part.batch.features[spec.name] for part in parts]))
        for spec in features
    }
    return _file(
        {
            PREDICTION_ID: _texts([text for part in parts for text in part.ids]),
            TIME: _times(parts),
            **_answers(classes, parts),
            **columns,
        }
    )


def labels_file(parts: Sequence[Labels]) -> bytes:
    """A Parquet file with a row for each label."""
    return _file(
        {
            PREDICTION_ID: _texts([text for part in parts for text in part.ids]),
            TIME: _times(parts),
            LABEL: _texts([label for part in parts for label in part.labels]),
        }
    )


def _answers(classes: Classes | None, parts: Sequence[Predictions]) -> dict[str, Any]:
    """The columns of the predicted label and of its score; nulls where the model has none.

    A predicted number is both.
    """
    if any(part.batch.numbers is not None for part in parts):
        numbers = _joined(parts, [part.batch.numbers for part in parts])
        return {LABEL: _texts(number_texts(numbers)), SCORE: _numbers(numbers.astype(np.float64))}
    if classes is None:
        rows = sum(len(part.ids) for part in parts)
        return {
            LABEL: _texts([None] * rows),
            SCORE: Array([None] * rows, DataType.float64()),
        }
    label = _joined(parts, [part.batch.label for part in parts])
    probabilities = _joined(parts, [part.batch.probabilities for part in parts], columns=True)
    scores = classes.scores(probabilities).astype(np.float64)
    return {
        LABEL: _texts([str(value) for value in classes.own(label)]),
        SCORE: _numbers(scores),
    }


def _joined(
    parts: Sequence[Predictions], arrays: Sequence[Any], *, columns: bool = False
) -> np.ndarray:
    """The kept rows of some arrays as one, flat unless it has columns."""
    kept = [
        array if part.places is None else array[part.places]
        for part, array in zip(parts, arrays, strict=True)
    ]
    joined = np.concatenate(kept)
    return joined if columns else joined.reshape(-1)


def _column(spec: TensorSpec, values: np.ndarray) -> Any:
    if spec.datatype == "BYTES":
        return _texts([value or None for value in values.tolist()])
    if spec.dtype.kind == "f":
        # Few readers of Parquet know half floats.
        return _numbers(values.astype(np.float32) if spec.datatype == "FP16" else values)
    return Array.from_numpy(values)


def _numbers(values: np.ndarray) -> Any:
    """Floats, with null for NaN."""
    missing = np.isnan(values)
    if not missing.any():
        return Array.from_numpy(np.ascontiguousarray(values))
    listed = values.astype(object)
    listed[missing] = None
    return Array(listed.tolist(), Array.from_numpy(values[:0]).type)


def _texts(values: Sequence[str | None]) -> Any:
    return Array(values, DataType.utf8())


def _times(parts: "Sequence[Predictions | Labels]") -> Any:
    times = np.repeat([part.time for part in parts], [len(part.ids) for part in parts])
    moments = Array.from_numpy(times.astype("datetime64[ms]"))
    return moments.cast(DataType.timestamp("ms", tz="UTC"))


def _file(columns: Mapping[str, Any]) -> bytes:
    target = io.BytesIO()
    write_parquet(Table.from_pydict(dict(columns)), target, compression=COMPRESSION)
    return target.getvalue()
