"""Scikit-learn models that are known to convert wrongly without an error: refused up front.

Found by comparing converted models with their originals; the shares of labels that agreed are in
the comments.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError


def refuse(model: Any) -> None:
    """Checks a fitted model with all its parts.

    Raises:
        StepError: ConversionFailed; the message says what to do instead.
    """
    for part in parts(model):
        for problem in (_categorical(part), _no_text(part), _unfit(part)):
            if problem:
                raise StepError(
                    TrainingFailure.CONVERSION_FAILED, f"{type(part).__name__}: {problem}"
                )


def parts(model: Any) -> Iterator[Any]:
    """A model and everything fitted in it, at any depth."""
    yield model
    below = [step for _, step in getattr(model, "steps", [])]
    below += [part for _, part, *_ in getattr(model, "transformers_", [])]
    below += [part for _, part in getattr(model, "transformer_list", [])]
    for name in ("estimator", "estimator_", "best_estimator_", "regressor_", "final_estimator_"):
        if (one := getattr(model, name, None)) is not None and not isinstance(one, str):
            below.append(one)
    if type(model).__name__.startswith(("Voting", "Stacking", "Bagging")):
        below += list(getattr(model, "estimators_", []))
    below += [one.estimator for one in getattr(model, "calibrated_classifiers_", [])]
    for one in below:
        if one is not None and not isinstance(one, str):
            yield from parts(one)


def _categorical(part: Any) -> str:
    # .53
    if type(part).__name__.startswith("HistGradientBoosting"):
        categorical = getattr(part, "is_categorical_", None)
        if categorical is not None and np.any(categorical):
            return (
                "its categorical_features convert to ONNX wrongly. Put an OrdinalEncoder or "
                "OneHotEncoder before it and leave categorical_features out, or use LightGBM, "
                "whose categories convert"
            )
    return ""


def fitted_trees(part: Any) -> list[Any]:
    """The Tree structures of a tree or a forest of scikit-learn's; [] for anything else."""
    if hasattr(part, "tree_"):
        return [part.tree_]
    if "Forest" in type(part).__name__ or "ExtraTrees" in type(part).__name__:
        return [one.tree_ for one in getattr(part, "estimators_", [])]
    return []


def _no_text(part: Any) -> str:
    # .989
    for values in getattr(part, "categories_", []):
        values = np.asarray(values)
        if values.dtype.kind == "O" and any(
            value is None or (isinstance(value, float) and np.isnan(value)) for value in values
        ):
            return (
                "one of its categories is None or NaN, which is no text in ONNX. Fill missing "
                'texts with "" before fitting (frame.fillna("")), and send "" for them'
            )
    return ""


def _unfit(part: Any) -> str:
    name = type(part).__name__
    if name == "FunctionTransformer" and getattr(part, "func", None) is not None:
        return (
            "a function of your own does not convert. Do what it does before the model, or use a "
            "transformer of scikit-learn's"
        )
    if name == "SplineTransformer":
        return "it has no ONNX converter. Use PolynomialFeatures or KBinsDiscretizer"
    if name == "SimpleImputer" and getattr(part, "strategy", "") == "most_frequent":
        statistics = np.asarray(getattr(part, "statistics_", []))
        if statistics.dtype.kind in "OU":
            return 'on texts it does not convert. Fill missing texts with "" before fitting'
    return ""
