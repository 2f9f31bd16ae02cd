"""Whether a converted model says what the original says.

A conversion can go wrong without an error, so nothing is published without this check.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from perennial_contracts.wire.modelcard import ConversionFacts
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from ..model.onnx_model import LABEL
from ..model.sessions import open_session
from .converted import Arrays, Converted
from .graph import converting


@dataclass
class _Tally:
    rows: int = 0
    same: int = 0
    ties: int = 0
    """Rows with another label where the two likeliest classes are as likely: either is right."""
    off: int = 0
    """Rows that differ by more than the tolerance, or in a label that is no tie."""
    largest: float = 0.0
    labelled: bool = False
    worst: str = field(default="")


def check(converted: Converted, samples: Iterable[Arrays]) -> ConversionFacts:
    """Compares the ONNX model with the original.

    Where two classes are as likely, to the tolerance, another label is no fault; it does not count
    as agreement either.

    Args:
        converted: both of them.
        samples: sets of rows, by input.

    Raises:
        StepError: ParityFailed with the numbers; ConversionFailed where ONNX Runtime cannot load
            the model or refuses rows.
    """
    with converting("the model, in ONNX Runtime,"):
        session = open_session(converted.model)
        names = [output.name for output in session.get_outputs()]
        tally = _Tally()
        for rows in samples:
            with _rows_explained(rows):
                said = dict(zip(names, session.run(names, dict(rows)), strict=True))
                expected = converted.reference(rows) if converted.reference else None
            if expected is not None:
                _compare(tally, said, expected, converted.tolerance)
            else:
                tally.rows += len(next(iter(rows.values()), ()))
    allowed = int(converted.stray * tally.rows)
    if tally.off > allowed:
        labels = f"{tally.same} of {tally.rows} labels agree, " if tally.labelled else ""
        labels += f"{tally.ties} others are ties, " if tally.ties else ""
        raise StepError(
            TrainingFailure.PARITY_FAILED,
            f"the ONNX model does not say what the original says: {labels}{tally.off} of "
            f"{tally.rows} rows differ by more than {converted.tolerance:g}, at most by "
            f"{tally.largest:.3g}{tally.worst}; at most {allowed} rows may. Nothing is published. "
            "Convert the model to ONNX yourself, or leave out the step that converts wrongly",
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
def _rows_explained(rows: Arrays) -> Iterator[None]:
    """Rows that are refused may be none such as the model gets: most are made up."""
    try:
        yield
    except Exception as error:
        taken = ", ".join(f"{name} {list(values.shape)}" for name, values in rows.items())
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"the model refuses the rows that it is to be compared on, {taken}: {first_line}. Rows "
            "are made up where there are none: give some such as the model gets, a Parquet file "
            "with a column for each input, lists where it is no number "
            "(spec.packaging.sample, --sample)",
        ) from error


def _compare(
    tally: _Tally,
    said: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    tolerance: float,
) -> None:
    if set(said) != set(expected):
        raise ValueError(f"expected outputs {', '.join(expected)}, got {', '.join(said)}")
    count = len(next(iter(expected.values())))
    off, tie = np.zeros(count, bool), np.zeros(count, bool)
    for name in sorted(set(expected) - {LABEL}):
        want = np.asarray(expected[name], np.float64)
        got = np.asarray(said[name], np.float64)
        want, got = _rows(want, count), _rows(got, count)
        if want.shape[1] == 1 and got.shape[1] == 2:
            got = got[:, 1:]
        if want.shape != got.shape:
            raise ValueError(f"output {name}: expected shape {want.shape}, got {got.shape}")
        difference = _difference(got, want)
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
        same = _texts(said[LABEL]) == _texts(expected[LABEL])
        tally.labelled = True
        tally.same += int(same.sum())
        tally.ties += int((~same & tie).sum())
        off |= ~same & ~tie
    tally.rows += count
    tally.off += int(off.sum())


def _rows(values: np.ndarray, count: int) -> np.ndarray:
    """A row of numbers for each row; what skl2onnx lays out flat is put back into rows."""
    return values.reshape(count, -1)


def _difference(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    """The largest of each row; infinite where only one of two is NaN."""
    both = np.isnan(got) & np.isnan(want)
    with np.errstate(invalid="ignore"):
        difference = np.abs(got - want)
    difference[(got == want) | both] = 0.0
    difference[np.isnan(difference)] = np.inf
    rows: np.ndarray = difference.max(axis=1, initial=0.0)
    return rows


def _texts(labels: np.ndarray) -> np.ndarray:
    flat = np.asarray(labels).reshape(-1)
    return np.array([one.decode() if isinstance(one, bytes) else str(one) for one in flat], object)
