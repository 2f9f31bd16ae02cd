"""Comparison of the ONNX model of a run with the scikit-learn model.

A conversion can go wrong without an error, so nothing is published without this check.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..data.features import Feature
from ..data.labels import as_text
from ..model.onnx_model import OnnxModel
from .samples import UNKNOWN

TOLERANCE = 1e-4
"""Largest difference that float32 explains.

Probabilities differ by at most this, numbers by at most this share of the largest of them.
"""
MAX_ROWS = 2000


class ParityError(Exception):
    """The converted model and the original give different outputs."""


@dataclass(frozen=True)
class Parity:
    """The agreement of the converted model with the original."""

    rows: int
    same_labels: int
    largest_difference: float
    """The largest difference of two probabilities, or of two numbers as a share."""


def check(
    converted: OnnxModel, original: Any, frame: pd.DataFrame, *, missing: bool = True
) -> Parity:
    """Compare both on rows, on rows with unknown texts and with missing values.

    Args:
        converted: the ONNX model.
        original: a fitted scikit-learn classifier or regressor that takes clean rows.
        frame: clean rows, of which MAX_ROWS are used, spread over all of them.
        missing: also compare on missing values that the rows do not have.

    Raises:
        ParityError: if a label differs without a tie, or a probability by more than TOLERANCE.
    """
    spread = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), MAX_ROWS)).astype(np.int64))
    sample = frame.iloc[spread].reset_index(drop=True)
    if converted.kind == "Regression":
        return _check_numbers(converted, original, sample, missing)
    classes = [str(label) for label in original.classes_]
    same, largest, count, wrong = 0, 0.0, 0, 0
    for rows in (sample, *_unfamiliar(sample, converted.features, missing)):
        got = converted.predict(rows, classes)
        expected = np.asarray(original.predict_proba(rows), np.float64)
        labels = as_text(original.predict(rows))
        largest = max(largest, _largest_difference(got.probabilities, expected))
        agree = got.labels == labels
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
            f"probabilities differ by up to {largest:.2g}; rounding explains at most {TOLERANCE:g}"
        )
    return Parity(count, same, largest)


def _check_numbers(
    converted: OnnxModel, original: Any, sample: pd.DataFrame, missing: bool
) -> Parity:
    largest, count = 0.0, 0
    for rows in (sample, *_unfamiliar(sample, converted.features, missing)):
        expected = np.asarray(original.predict(rows), np.float64).reshape(-1)
        got = converted.predict(rows, []).values
        scale = max(float(np.abs(expected).max(initial=0.0)), 1e-30)
        largest = max(largest, _largest_difference(got, expected) / scale)
        count += len(rows)
    if not largest <= TOLERANCE:
        raise ParityError(
            f"the ONNX model differs from the trained one: on {count} rows by up to {largest:.2g} "
            f"of the largest number; rounding explains at most {TOLERANCE:g}"
        )
    return Parity(count, count, largest)


def _largest_difference(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference; infinite for NaN, which no comparison finds."""
    difference = np.abs(got - expected)
    return float("inf") if np.isnan(difference).any() else float(difference.max(initial=0.0))


def _unfamiliar(
    sample: pd.DataFrame, features: Sequence[Feature], missing: bool
) -> list[pd.DataFrame]:
    """Return the rows with unknown or empty texts, and with missing numbers."""
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
