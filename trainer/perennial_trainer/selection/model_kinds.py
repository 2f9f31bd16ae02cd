"""The kinds of models that a search can try, each with a few settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import zip_longest
from typing import Any

import numpy as np

from perennial_contracts.api.search import CANDIDATES, ONLY_FOR, Candidate
from perennial_contracts.wire.modelcard import TaskName

from .boosted_trees import BoostedTrees

BALANCED: Mapping[str, Any] = {"class_weight": "balanced"}
WEIGHS_CLASSES: frozenset[Candidate] = frozenset(
    {"Logistic", "DecisionTree", "ExtraTrees", "RandomForest", "LightGBM", "HistGradientBoosting"}
)
PACKAGES: Mapping[Candidate, str] = {"LightGBM": "lightgbm", "XGBoost": "xgboost"}
"""The packages that a kind needs beside scikit-learn."""
CONVERTERS = "onnxmltools"
"""The package that converts the models of PACKAGES."""

SETTINGS: Mapping[Candidate, Sequence[Mapping[str, Any]]] = {
    "Logistic": ({"C": 1.0}, {"C": 0.05}, {"C": 20.0}),
    "Linear": ({"alpha": 1.0}, {"alpha": 30.0}, {"alpha": 0.01}),
    "DecisionTree": (
        {"max_depth": 5, "min_samples_leaf": 20},
        {"max_depth": 8, "min_samples_leaf": 50},
        {"max_depth": 3, "min_samples_leaf": 20},
    ),
    "ExtraTrees": (
        {"n_estimators": 100, "max_depth": 12, "min_samples_leaf": 5},
        {"n_estimators": 150, "max_depth": 16, "min_samples_leaf": 2},
    ),
    "RandomForest": (
        {"n_estimators": 100, "max_depth": 12, "min_samples_leaf": 5},
        {"n_estimators": 150, "max_depth": 16, "min_samples_leaf": 2},
    ),
    "LightGBM": (
        {"n_estimators": 200, "learning_rate": 0.05, "num_leaves": 15},
        {"n_estimators": 100, "learning_rate": 0.1, "num_leaves": 31},
    ),
    "XGBoost": (
        {"n_estimators": 200, "learning_rate": 0.05, "max_depth": 4},
        {"n_estimators": 100, "learning_rate": 0.1, "max_depth": 6},
    ),
    "HistGradientBoosting": (
        {"max_iter": 200, "learning_rate": 0.05, "max_leaf_nodes": 15},
        {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 31},
        {"max_iter": 300, "learning_rate": 0.03, "max_leaf_nodes": 15, "l2_regularization": 1.0},
    ),
    "MLP": (
        {"hidden_layer_sizes": (32,), "alpha": 1e-3},
        {"hidden_layer_sizes": (64, 32), "alpha": 1e-2},
    ),
}
"""The settings of each kind; the first ones are the default of a search."""


@dataclass(frozen=True)
class SearchCandidate:
    """A kind of model with settings."""

    kind: Candidate
    params: Mapping[str, Any]
    trees: BoostedTrees | None = None
    """The champion's trees to continue from; None to start from scratch."""


def kinds_for(task: TaskName) -> list[Candidate]:
    """Return all kinds for a task, installed or not, from the simplest on."""
    return [kind for kind in CANDIDATES if ONLY_FOR.get(kind, task) == task]


def is_installed(kind: Candidate) -> bool:
    """Return whether the package of a kind and its converter are installed."""
    if kind not in PACKAGES:
        return True
    return find_spec(PACKAGES[kind]) is not None and find_spec(CONVERTERS) is not None


def usable(kinds: Sequence[Candidate], labels: np.ndarray) -> list[Candidate]:
    """Return the kinds that are installed and accept these labels.

    Args:
        kinds: the kinds to choose from.
        labels: shape (rows,): int64 or texts; float64 for a regression.
    """
    counted = labels.dtype.kind == "f" or (
        labels.dtype.kind == "i" and set(labels.tolist()) == set(range(len(set(labels.tolist()))))
    )
    # XGBoost accepts no classes but 0, 1, 2 and so on.
    return [kind for kind in kinds if is_installed(kind) and (counted or kind != "XGBoost")]


def list_candidates(
    kinds: Sequence[Candidate], metric: str, max_trials: int
) -> list[SearchCandidate]:
    """List candidates in order: each kind once, then each with its next settings.

    F1, recall and balanced accuracy favour the rarer class, so kinds that can weight classes try
    that second.
    """
    ordered = [kind for kind in CANDIDATES if kind in kinds]
    ladders = [
        [SearchCandidate(kind, params) for params in _ladder(kind, metric)] for kind in ordered
    ]
    rounds = [candidate for row in zip_longest(*ladders) for candidate in row if candidate]
    return rounds[:max_trials]


def list_candidates_near(
    start: Sequence[SearchCandidate], kinds: Sequence[Candidate], metric: str, max_trials: int
) -> list[SearchCandidate]:
    """List the candidates of a search that begins with a champion.

    First ``start``, then each other kind with its default settings, then the settings next to the
    champion's in the list of its kind.
    """
    own = start[-1]
    others = [kind for kind in CANDIDATES if kind in kinds and kind != own.kind]
    ladder = _ladder(own.kind, metric)
    near = ladder[:1]
    if own.params in ladder:
        index = ladder.index(own.params)
        near = [*ladder[index + 1 : index + 2], *ladder[max(index - 1, 0) : index]]
    return [
        *start,
        *(SearchCandidate(kind, _ladder(kind, metric)[0]) for kind in others),
        *(SearchCandidate(own.kind, params) for params in near),
    ][:max_trials]


def _ladder(kind: Candidate, metric: str) -> list[Mapping[str, Any]]:
    if kind not in WEIGHS_CLASSES or metric not in ("f1", "recall", "balanced_accuracy"):
        return list(SETTINGS[kind])
    return [{**params, **extra} for params in SETTINGS[kind] for extra in ({}, BALANCED)]
