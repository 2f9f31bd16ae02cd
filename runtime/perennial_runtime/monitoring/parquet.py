"""Captured rows as Parquet files. Imported only if the capture is configured."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from perennial_contracts.stats.quality import score_bins
from perennial_contracts.wire.capture import LABEL, PREDICTION_ID, SCORE, TIME

from ..classes import Classes
from ..protocol.perennial.prediction_id import NO_BIN, NO_CLASS, IdMaker
from ..regression import number_texts
from ..signature import TensorSpec
from .drift_counters import Batch

COMPRESSION = "zstd(1)"


@dataclass(slots=True)
class CapturedPredictions:
    """Captured rows of one request."""

    time: int
    """Time of the answer, in milliseconds since 1970."""
    ids: Sequence[str | int]
    """Ids of the rows, or numbers that are reserved for ids to make later."""
    batch: Batch
    kept: Sequence[int] | None
    """Rows of the batch that the ids belong to; None for all."""


@dataclass(frozen=True, slots=True)
class CapturedLabels:
    """Captured labels of one request."""

    time: int
    """Time of arrival, in milliseconds since 1970."""
    ids: Sequence[str]
    labels: Sequence[str]


def predictions_file(
    features: Sequence[TensorSpec],
    classes: Classes | None,
    parts: Sequence[CapturedPredictions],
    maker: IdMaker | None = None,
) -> bytes:
    """Return a Parquet file with a row for each prediction; missing values are null.

    ``maker`` makes ids from the numbers that are reserved for them.
    """
    bare = [part for part in parts if part.batch.row is not None]
    others = [part for part in parts if part.batch.row is None]
    parts = [*bare, *others]
    labels, scores = _answers(classes, parts)
    columns: Iterable[Sequence[Any]] = (
        zip(*[part.batch.row or () for part in bare], strict=True) if bare else repeat(())
    )
    return _file(
        {
            PREDICTION_ID: _texts(_ids(parts, classes, labels, scores, maker)),
            TIME: _times(parts),
            LABEL: _texts(labels),
            SCORE: _numbers(scores) if scores is not None else _no_numbers(len(labels)),
            **{
                spec.name: _column(spec, _values(spec, column, others))
                for spec, column in zip(features, columns, strict=False)
            },
        }
    )


def labels_file(parts: Sequence[CapturedLabels]) -> bytes:
    """Return a Parquet file with a row for each label."""
    return _file(
        {
            PREDICTION_ID: _texts([text for part in parts for text in part.ids]),
            TIME: _times(parts),
            LABEL: _texts([label for part in parts for label in part.labels]),
        }
    )


def _answers(
    classes: Classes | None, parts: Sequence[CapturedPredictions]
) -> tuple[list[str | None], np.ndarray | None]:
    """Return the predicted labels and their scores, or None.

    The prediction of a regression model is both.
    """
    if any(part.batch.numbers is not None for part in parts):
        numbers = _joined(parts, [part.batch.numbers for part in parts])
        return number_texts(numbers), numbers.astype(np.float64)
    if classes is None:
        return [None] * sum(len(part.ids) for part in parts), None
    label = _joined(parts, [part.batch.label for part in parts])
    probabilities = _joined(parts, [part.batch.probabilities for part in parts], columns=True)
    return list(map(str, classes.own(label))), classes.scores(probabilities).astype(np.float64)


def _ids(
    parts: Sequence[CapturedPredictions],
    classes: Classes | None,
    labels: Sequence[str | None],
    scores: np.ndarray | None,
    maker: IdMaker | None,
) -> list[str]:
    """Return the ids of all rows. Make those that are only numbers."""
    ids: list[Any] = [each for part in parts for each in part.ids]
    pending = [row for row, each in enumerate(ids) if type(each) is int]
    if not pending or maker is None:
        return ids
    times = [part.time for part in parts for _ in part.ids]
    names = classes.names[:NO_CLASS] if classes else ()
    indices = {name: index for index, name in enumerate(names)}
    made = maker.make_many(
        [times[row] for row in pending],
        [ids[row] for row in pending],
        [indices.get(labels[row] or "", NO_CLASS) for row in pending],
        score_bins(scores[pending])
        if classes is not None and scores is not None
        else np.full(len(pending), NO_BIN),
    )
    for row, text in zip(pending, made, strict=True):
        ids[row] = text
    return ids


def _values(
    spec: TensorSpec, bare: Sequence[Any], others: Sequence[CapturedPredictions]
) -> np.ndarray:
    """Return the values of a feature: bare ones first, then those in arrays."""
    values = np.array(bare, spec.dtype)
    if not others:
        return values
    joined = _joined(others, [part.batch.features[spec.name] for part in others])
    return np.concatenate((values, joined)) if len(values) else joined


def _joined(
    parts: Sequence[CapturedPredictions], arrays: Sequence[Any], *, columns: bool = False
) -> np.ndarray:
    """Return the kept rows of the arrays as one array, flat unless ``columns``."""
    kept = [
        array if part.kept is None else array[part.kept]
        for part, array in zip(parts, arrays, strict=True)
    ]
    joined = np.concatenate(kept)
    return joined if columns else joined.reshape(-1)


def _column(spec: TensorSpec, values: np.ndarray) -> Any:
    if spec.datatype == "BYTES":
        return _texts([value or None for value in values.tolist()])
    if spec.dtype.kind == "f":
        # Few readers of Parquet support half floats.
        return _numbers(values.astype(np.float32) if spec.datatype == "FP16" else values)
    return Array.from_numpy(values)


def _numbers(values: np.ndarray) -> Any:
    """Return floats with null for NaN."""
    missing = np.isnan(values)
    if not missing.any():
        return Array.from_numpy(np.ascontiguousarray(values))
    listed = values.astype(object)
    listed[missing] = None
    return Array(listed.tolist(), Array.from_numpy(values[:0]).type)


def _no_numbers(rows: int) -> Any:
    return Array([None] * rows, DataType.float64())


def _texts(values: Sequence[str | None]) -> Any:
    return Array(values, DataType.utf8())


def _times(parts: "Sequence[CapturedPredictions | CapturedLabels]") -> Any:
    times = np.repeat([part.time for part in parts], [len(part.ids) for part in parts])
    moments = Array.from_numpy(times.astype("datetime64[ms]"))
    return moments.cast(DataType.timestamp("ms", tz="UTC"))


def _file(columns: Mapping[str, Any]) -> bytes:
    target = io.BytesIO()
    write_parquet(Table.from_pydict(dict(columns)), target, compression=COMPRESSION)
    return target.getvalue()
