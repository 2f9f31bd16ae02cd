"""Whether a converted model says what the trained one says.

A conversion can go wrong without an error, so nothing is published without this check.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..data.features import Feature, as_text
from ..model.onnx_model import OnnxModel

TOLERANCE = 1e-4
"""Largest difference between probabilities that is put down to float32; between numbers, as a share
of the largest of them."""
MAX_ROWS = 2000
UNKNOWN = "\ufffd unknown"
"""A text that no training row has."""


class ParityError(Exception):
    """The converted model does not say what the original says."""


@dataclass(frozen=True)
class Parity:
    """How the converted model compares with the original."""

    rows: int
    same_labels: int
    largest_difference: float
    """Between two probabilities of a row, or two numbers, as a share of the largest."""


def check(
    converted: OnnxModel, original: Any, frame: pd.DataFrame, *, missing: bool = True
) -> Parity:
    """Compares the two on rows, on rows with unknown texts, and on rows with missing values.

    Args:
        converted: the ONNX model.
        original: a fitted scikit-learn classifier or regressor that takes clean rows.
        frame: clean rows, of which MAX_ROWS are used, spread over all of them.
        missing: whether values that are missing are tried too, beyond those that the rows have.

    Raises:
        ParityError: where a label differs that is not a tie, or a probability by more than
            TOLERANCE.
    """
    places = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), MAX_ROWS)).astype(np.int64))
    sample = frame.iloc[places].reset_index(drop=True)
    if converted.kind == "Regression":
        return _check_numbers(converted, original, sample, missing)
    classes = [str(label) for label in original.classes_]
    same, largest, count, wrong = 0, 0.0, 0, 0
    for rows in (sample, *_unfamiliar(sample, converted.features, missing)):
        said = converted.answer(rows, classes)
        expected = np.asarray(original.predict_proba(rows), np.float64)
        labels = as_text(original.predict(rows))
        largest = max(largest, _farthest(said.probabilities, expected))
        agree = said.labels == labels
        if expected.shape[1] > 1:
            ordered = np.sort(expected, axis=1)
            tie = ordered[:, -1] - ordered[:, -2] <= 2 * TOLERANCE
        else:
            tie = np.zeros(len(rows), bool)
        wrong += int((~agree & ~tie).sum())
        same += int(agree.sum())
        count += len(rows)
    if wrong or not largest <= TOLERANCE:
        raise ParityError(
            f"the ONNX model differs from the trained one: {same} of {count} labels agree, "
            f"probabilities differ by up to {largest:.2g}; at most {TOLERANCE:g} is put down to "
            "rounding"
        )
    return Parity(count, same, largest)


def _check_numbers(
    converted: OnnxModel, original: Any, sample: pd.DataFrame, missing: bool
) -> Parity:
    largest, count = 0.0, 0
    for rows in (sample, *_unfamiliar(sample, converted.features, missing)):
        expected = np.asarray(original.predict(rows), np.float64).reshape(-1)
        said = converted.answer(rows, []).values
        scale = max(float(np.abs(expected).max(initial=0.0)), 1e-30)
        largest = max(largest, _farthest(said, expected) / scale)
        count += len(rows)
    if not largest <= TOLERANCE:
        raise ParityError(
            f"the ONNX model differs from the trained one: on {count} rows by up to {largest:.2g} "
            f"of the largest number; at most {TOLERANCE:g} is put down to rounding"
        )
    return Parity(count, count, largest)


def _farthest(said: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference; infinite where one is NaN, which no comparison would find."""
    difference = np.abs(said - expected)
    return float("inf") if np.isnan(difference).any() else float(difference.max(initial=0.0))


def _unfamiliar(
    sample: pd.DataFrame, features: Sequence[Feature], missing: bool
) -> list[pd.DataFrame]:
    """The rows with texts that are unknown or empty, and with numbers missing here and there."""
    unknown, gaps, bare = sample.copy(), sample.copy(), sample.copy()
    random = np.random.default_rng(0)
    for feature in features:
        name = feature.name
        holes = random.random(len(sample)) < 0.3
        if feature.is_text:
            unknown[name] = UNKNOWN
            gaps[name] = np.where(holes, "", sample[name].to_numpy(object))
            bare[name] = ""
        elif feature.datatype.startswith("FP"):
            gaps[name] = np.where(holes, np.float32(np.nan), sample[name].to_numpy(np.float32))
            bare[name] = np.float32(np.nan)
    return [unknown, gaps, bare] if missing else [unknown]
