"""Comparison of a converted model with the original.

A conversion can go wrong without an error, so nothing is published without this check.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from perennial_contracts.wire.modelcard import ConversionFacts
from perennial_contracts.wire.names import LABEL
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from ..model.sessions import open_session
from .converted import Arrays, Converted
from .graph import converting


@dataclass
class _Tally:
    rows: int = 0
    same: int = 0
    ties: int = 0
    """Rows with another label whose two likeliest classes are equally likely."""
    off: int = 0
    """Rows that differ by more than the tolerance, or in a label without a tie."""
    largest: float = 0.0
    labelled: bool = False
    worst: str = field(default="")


def check(converted: Converted, samples: Iterable[Arrays]) -> ConversionFacts:
    """Compare the ONNX model with the original.

    If two classes are equally likely within the tolerance, another label is a tie: no error, but
    no agreement either.

    Args:
        converted: both models.
        samples: sets of rows, by input.

    Raises:
        StepError: ParityFailed with the numbers; ConversionFailed if ONNX Runtime cannot load the
            model or rejects rows.
    """
    with converting("the model, in ONNX Runtime,"):
        session = open_session(converted.model)
        names = [output.name for output in session.get_outputs()]
        tally = _Tally()
        for rows in samples:
            with _explaining_rows(rows):
                got = dict(zip(names, session.run(names, dict(rows)), strict=True))
                expected = converted.reference(rows) if converted.reference else None
            if expected is not None:
                _compare(tally, got, expected, converted.tolerance)
            else:
                tally.rows += len(next(iter(rows.values()), ()))
    allowed = int(converted.stray * tally.rows)
    if tally.off > allowed:
        labels = f"{tally.same} of {tally.rows} labels agree, " if tally.labelled else ""
        labels += f"{tally.ties} others are ties, " if tally.ties else ""
        raise StepError(
            TrainingFailure.PARITY_FAILED,
            f"the ONNX model and the original differ: {labels}{tally.off} of {tally.rows} rows "
            f"differ by more than {converted.tolerance:g}, at most by {tally.largest:.3g}"
            f"{tally.worst}; the limit is {allowed} rows. Nothing was published",
            hint="Convert the model to ONNX yourself, or remove the step that converts wrongly",
        )
    return ConversionFacts(
        format=converted.format,
        converter=converted.converter,
        rows=tally.rows,
        agreement=tally.same / tally.rows if tally.labelled and tally.rows else None,
        ties=tally.ties,
        max_difference=tally.largest,
    )


@contextmanager
def _explaining_rows(rows: Arrays) -> Iterator[None]:
    """Add to an error that the model may reject rows because they are generated."""
    try:
        yield
    except Exception as error:
        shapes = ", ".join(f"{name} {list(values.shape)}" for name, values in rows.items())
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"the model rejects the rows of the comparison, {shapes}: {first_line}",
            hint="Generated rows may not fit the model: give rows of real requests "
            "(spec.packaging.sample, --sample), a Parquet file with a column for each input, and "
            "lists for values that are not numbers",
        ) from error


def _compare(
    tally: _Tally,
    got: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    tolerance: float,
) -> None:
    if set(got) != set(expected):
        raise ValueError(f"expected outputs {', '.join(expected)}, got {', '.join(got)}")
    count = len(next(iter(expected.values())))
    off, tie = np.zeros(count, bool), np.zeros(count, bool)
    for name in sorted(set(expected) - {LABEL}):
        want = _rows(np.asarray(expected[name], np.float64), count)
        have = _rows(np.asarray(got[name], np.float64), count)
        if want.shape[1] == 1 and have.shape[1] == 2:
            have = have[:, 1:]
        if want.shape != have.shape:
            raise ValueError(f"output {name}: expected shape {want.shape}, got {have.shape}")
        difference = _difference(have, want)
        limit = tolerance * max(1.0, float(np.abs(want[np.isfinite(want)]).max(initial=0.0)))
        off |= difference > limit
        if difference.max(initial=0.0) > tally.largest:
            tally.largest = float(difference.max(initial=0.0))
            if len(expected) > 1:
                tally.worst = f" (output {name})"
        if want.shape[1] > 1:
            top = np.sort(want, axis=1)
            tie |= top[:, -1] - top[:, -2] <= 2 * limit
        elif LABEL in expected:
            tie |= np.abs(want[:, 0]) <= 2 * limit
    if LABEL in expected:
        same = _texts(got[LABEL]) == _texts(expected[LABEL])
        tally.labelled = True
        tally.same += int(same.sum())
        tally.ties += int((~same & tie).sum())
        off |= ~same & ~tie
    tally.rows += count
    tally.off += int(off.sum())


def _rows(values: np.ndarray, count: int) -> np.ndarray:
    """Return a row of numbers for each row: skl2onnx flattens some outputs."""
    return values.reshape(count, -1)


def _difference(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    """Return the largest difference of each row; infinite if one value is NaN."""
    both = np.isnan(got) & np.isnan(want)
    with np.errstate(invalid="ignore"):
        difference = np.abs(got - want)
    difference[(got == want) | both] = 0.0
    difference[np.isnan(difference)] = np.inf
    rows: np.ndarray = difference.max(axis=1, initial=0.0)
    return rows


def _texts(labels: np.ndarray) -> np.ndarray:
    flat = np.asarray(labels).reshape(-1)
    return np.array(
        [text.decode() if isinstance(text, bytes) else str(text) for text in flat], object
    )
