"""Rejection of scikit-learn models that convert wrongly without an error.

They were found by comparing converted models with their originals. The comments give the share of
labels that agreed.
"""

from typing import Any

import numpy as np

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .inspection import parts


def reject_unsupported(model: Any) -> None:
    """Check a fitted model with all its parts.

    Raises:
        StepError: ConversionFailed, with a hint.
    """
    for part in parts(model):
        for check in (_check_categorical, _check_categories, _check_kind):
            check(part)


def _rejected(part: Any, problem: str, hint: str) -> StepError:
    detail = f"{type(part).__name__}: {problem}"
    return StepError(TrainingFailure.CONVERSION_FAILED, detail, hint=hint)


def _check_categorical(part: Any) -> None:
    # .53
    if type(part).__name__.startswith("HistGradientBoosting"):
        categorical = getattr(part, "is_categorical_", None)
        if categorical is not None and np.any(categorical):
            raise _rejected(
                part,
                "its categorical_features convert to ONNX wrongly",
                "Put an OrdinalEncoder or OneHotEncoder before it and remove categorical_features, "
                "or use LightGBM, whose categories convert",
            )


def _check_categories(part: Any) -> None:
    # .989
    for values in getattr(part, "categories_", []):
        values = np.asarray(values)
        if values.dtype.kind == "O" and any(
            value is None or (isinstance(value, float) and np.isnan(value)) for value in values
        ):
            raise _rejected(
                part,
                "one of its categories is None or NaN, which is not a text in ONNX",
                'Fill missing texts with "" before fitting (frame.fillna("")), and send "" for '
                "them",
            )


def _check_kind(part: Any) -> None:
    name = type(part).__name__
    if name == "FunctionTransformer" and getattr(part, "func", None) is not None:
        raise _rejected(
            part,
            "Python functions do not convert",
            "Do the same before the model, or use a transformer of scikit-learn",
        )
    if name == "SplineTransformer":
        raise _rejected(
            part, "it has no ONNX converter", "Use PolynomialFeatures or KBinsDiscretizer"
        )
    if name == "SimpleImputer" and getattr(part, "strategy", "") == "most_frequent":
        statistics = np.asarray(getattr(part, "statistics_", []))
        if statistics.dtype.kind in "OU":
            raise _rejected(
                part,
                "it does not convert for texts",
                'Fill missing texts with "" before fitting',
            )
