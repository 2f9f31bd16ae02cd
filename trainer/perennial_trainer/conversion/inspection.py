"""Inspection of fitted scikit-learn models: parts, columns, important values."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .converted import distinct_numbers

EMPTY = np.empty(0)
_PER_COLUMN = 64
"""Limit of the values of a column."""


def parts(model: Any) -> Iterator[Any]:
    """Yield a model and all fitted models in it, at any depth."""
    yield model
    below = [step for _, step in getattr(model, "steps", [])]
    below += [part for _, part, *_ in getattr(model, "transformers_", [])]
    below += [part for _, part in getattr(model, "transformer_list", [])]
    for name in ("estimator", "estimator_", "best_estimator_", "regressor_", "final_estimator_"):
        if (inner := getattr(model, name, None)) is not None and not isinstance(inner, str):
            below.append(inner)
    if type(model).__name__.startswith(("Voting", "Stacking", "Bagging")):
        below += list(getattr(model, "estimators_", []))
    below += [fold.estimator for fold in getattr(model, "calibrated_classifiers_", [])]
    for inner in below:
        if inner is not None and not isinstance(inner, str):
            yield from parts(inner)


def fitted_trees(part: Any) -> list[Any]:
    """Return the Tree structures of a tree or forest; [] for other models."""
    if hasattr(part, "tree_"):
        return [part.tree_]
    if "Forest" in type(part).__name__ or "ExtraTrees" in type(part).__name__:
        return [tree.tree_ for tree in getattr(part, "estimators_", [])]
    return []


def columns(model: Any) -> list[str]:
    """Return the names of the columns at fitting; [] if it was fitted on an array."""
    names = getattr(model, "feature_names_in_", None)
    return [] if names is None else [str(name) for name in names]


def values(model: Any, names: list[str], count: int) -> list[np.ndarray]:
    """Return the values that matter by column: categories, thresholds, moments."""
    found: list[np.ndarray] = [EMPTY] * count
    _collect(model, list(range(count)), names, found)
    return found


def is_of_texts(model: Any) -> bool:
    """Return whether the input is a list of documents, as of a TfidfVectorizer."""
    first = model.steps[0][1] if hasattr(model, "steps") else model
    return hasattr(first, "build_analyzer")


def _collect(part: Any, columns: list[int], names: list[str], found: list[np.ndarray]) -> None:
    """Fill in the values of a part whose inputs are these columns."""
    if hasattr(part, "steps"):
        for _, step in part.steps:
            _collect(step, columns, names, found)
            # The next step has the same columns only if this one keeps them.
            if not _keeps_columns(step):
                return
        return
    if hasattr(part, "transformers_"):
        for _, inner, selected in part.transformers_:
            if not isinstance(inner, str):
                _collect(inner, _select(selected, columns, names), names, found)
        return
    for column, own in zip(columns, _own_values(part, len(columns)), strict=False):
        if len(own) and not len(found[column]):
            found[column] = own


def _select(selected: Any, columns: list[int], names: list[str]) -> list[int]:
    if isinstance(selected, slice):
        return columns[selected]
    chosen = np.atleast_1d(np.asarray(selected))
    if chosen.dtype == bool:
        return [column for column, keep in zip(columns, chosen, strict=True) if keep]
    return [
        names.index(str(name)) if isinstance(name, str) else columns[int(name)]
        for name in chosen.tolist()
    ]


def _keeps_columns(step: Any) -> bool:
    return type(step).__name__ in ("SimpleImputer", "KNNImputer", "FunctionTransformer")


def _own_values(part: Any, count: int) -> list[np.ndarray]:
    if hasattr(part, "build_analyzer"):
        return [np.array(sorted(part.vocabulary_)[:_PER_COLUMN], object)]
    if hasattr(part, "categories_"):
        return [_categories(column) for column in part.categories_]
    if hasattr(part, "data_min_"):
        return [distinct_numbers(pair) for pair in zip(part.data_min_, part.data_max_, strict=True)]
    for centre, spread in (("mean_", "scale_"), ("center_", "scale_")):
        at, by = getattr(part, centre, None), getattr(part, spread, None)
        if at is not None and by is not None:
            return [
                distinct_numbers((a - 2 * b, a, a + 2 * b)) for a, b in zip(at, by, strict=True)
            ]
    thresholds: list[list[float]] = [[] for _ in range(count)]
    for inner in parts(part):
        for feature, threshold in _splits(inner):
            if 0 <= feature < count:
                thresholds[feature].append(threshold)
    if any(thresholds):
        return [_thin(distinct_numbers(column)) for column in thresholds]
    rows = getattr(part, "_fit_X", getattr(part, "support_vectors_", getattr(part, "theta_", None)))
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        return [_thin(distinct_numbers(column)) for column in rows.T]
    return []


def _categories(column: Any) -> np.ndarray:
    categories = np.asarray(column)[:_PER_COLUMN]
    if categories.dtype.kind in "OUST":
        return np.array([str(category) for category in categories], object)
    return categories


def _splits(part: Any) -> list[tuple[int, float]]:
    trees = fitted_trees(part)
    # Gradient boosting has its trees in an array of two dimensions.
    if isinstance(own := getattr(part, "estimators_", None), np.ndarray) and own.ndim == 2:
        trees = [tree.tree_ for tree in own.ravel()]
    found = [
        (int(feature), float(threshold))
        for tree in trees
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True)
        if feature >= 0
    ]
    for iteration in getattr(part, "_predictors", []):
        for predictor in iteration:
            inner = predictor.nodes[~predictor.nodes["is_leaf"].astype(bool)]
            found += zip(
                inner["feature_idx"].tolist(), inner["num_threshold"].tolist(), strict=True
            )
    return found


def _thin(found: np.ndarray) -> np.ndarray:
    if len(found) <= _PER_COLUMN:
        return found
    return found[np.linspace(0, len(found) - 1, _PER_COLUMN).astype(np.int64)]
