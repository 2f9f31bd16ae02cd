"""What a scikit-learn model knows of its columns: which are texts, and which values matter."""

from typing import Any

import numpy as np

from .converted import number
from .refusals import fitted_trees, parts

EMPTY = np.empty(0)
_PER_COLUMN = 64
"""Values that are kept of a column."""


def columns(model: Any) -> list[str]:
    """Names of the columns that it was fitted on; [] where it was fitted on an array."""
    names = getattr(model, "feature_names_in_", None)
    return [] if names is None else [str(name) for name in names]


def values(model: Any, names: list[str], count: int) -> list[np.ndarray]:
    """By column, the values that matter: categories as texts or numbers, thresholds, moments."""
    found: list[np.ndarray] = [EMPTY] * count
    _look(model, list(range(count)), names, found)
    return found


def is_of_texts(model: Any) -> bool:
    """Whether it takes a list of documents: it starts with a TfidfVectorizer or the like."""
    first = model.steps[0][1] if hasattr(model, "steps") else model
    return hasattr(first, "build_analyzer")


def _look(part: Any, places: list[int], names: list[str], found: list[np.ndarray]) -> None:
    """Fills in what a part that sees the columns at ``places`` knows of them."""
    if hasattr(part, "steps"):
        for _, step in part.steps:
            _look(step, places, names, found)
            # What comes after a step sees the columns as they were only if the step keeps them.
            if not _keeps(step):
                return
        return
    if hasattr(part, "transformers_"):
        for _, inner, selected in part.transformers_:
            if not isinstance(inner, str):
                _look(inner, _places(selected, places, names), names, found)
        return
    for place, known in zip(places, _own(part, len(places)), strict=False):
        if len(known) and not len(found[place]):
            found[place] = known


def _places(selected: Any, places: list[int], names: list[str]) -> list[int]:
    if isinstance(selected, slice):
        return places[selected]
    chosen = np.atleast_1d(np.asarray(selected))
    if chosen.dtype == bool:
        return [place for place, keep in zip(places, chosen, strict=True) if keep]
    return [
        names.index(str(one)) if isinstance(one, str) else places[int(one)]
        for one in chosen.tolist()
    ]


def _keeps(step: Any) -> bool:
    return type(step).__name__ in ("SimpleImputer", "KNNImputer", "FunctionTransformer")


def _own(part: Any, count: int) -> list[np.ndarray]:
    if hasattr(part, "build_analyzer"):
        return [np.array(sorted(part.vocabulary_)[:_PER_COLUMN], object)]
    if hasattr(part, "categories_"):
        return [_categories(one) for one in part.categories_]
    if hasattr(part, "data_min_"):
        return [number(pair) for pair in zip(part.data_min_, part.data_max_, strict=True)]
    for centre, spread in (("mean_", "scale_"), ("center_", "scale_")):
        at, by = getattr(part, centre, None), getattr(part, spread, None)
        if at is not None and by is not None:
            return [number((a - 2 * b, a, a + 2 * b)) for a, b in zip(at, by, strict=True)]
    thresholds: list[list[float]] = [[] for _ in range(count)]
    for inner in parts(part):
        for feature, threshold in _splits(inner):
            if 0 <= feature < count:
                thresholds[feature].append(threshold)
    if any(thresholds):
        return [_thin(number(one)) for one in thresholds]
    rows = getattr(part, "_fit_X", getattr(part, "support_vectors_", getattr(part, "theta_", None)))
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        return [_thin(number(column)) for column in rows.T]
    return []


def _categories(known: Any) -> np.ndarray:
    known = np.asarray(known)
    if known.dtype.kind in "OUST":
        return np.array([str(one) for one in known[:_PER_COLUMN]], object)
    kept: np.ndarray = known[:_PER_COLUMN]
    return kept


def _splits(part: Any) -> list[tuple[int, float]]:
    trees = fitted_trees(part)
    # Gradient boosting keeps its trees in an array of two dimensions.
    if isinstance(own := getattr(part, "estimators_", None), np.ndarray) and own.ndim == 2:
        trees = [one.tree_ for one in own.ravel()]
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
