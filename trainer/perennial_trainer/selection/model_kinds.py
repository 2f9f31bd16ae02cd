"""The kinds of model that are tried, each with a few settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import zip_longest
from typing import Any

import numpy as np

from perennial_contracts.api.search import CANDIDATES, ONLY_FOR, Candidate
from perennial_contracts.wire.modelcard import TaskName

from .warm_start import Trees

BALANCED: Mapping[str, Any] = {"class_weight": "balanced"}
WEIGHS_CLASSES: frozenset[Candidate] = frozenset(
    {"Logistic", "DecisionTree", "ExtraTrees", "RandomForest", "LightGBM", "HistGradientBoosting"}
)
PACKAGES: Mapping[Candidate, str] = {"LightGBM": "lightgbm", "XGBoost": "xgboost"}
"""What must be installed for a kind, beside scikit-learn."""
CONVERTERS = "onnxmltools"
"""Converts the models of PACKAGES."""

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
"""The first of each kind is what one would start with."""


@dataclass(frozen=True)
class Proposal:
    """A kind of model with settings."""

    kind: Candidate
    params: Mapping[str, Any]
    trees: Trees | None = None
    """Those of the champion, which it goes on from; None for one that begins anew."""


def kinds_for(task: TaskName) -> list[Candidate]:
    """All kinds that can learn a task, installed or not, from the simplest on."""
    return [kind for kind in CANDIDATES if ONLY_FOR.get(kind, task) == task]


def is_installed(kind: Candidate) -> bool:
    """Whether the package that a kind needs is there, and its converter to ONNX."""
    if kind not in PACKAGES:
        return True
    return find_spec(PACKAGES[kind]) is not None and find_spec(CONVERTERS) is not None


def usable(kinds: Sequence[Candidate], labels: np.ndarray) -> list[Candidate]:
    """Those of some kinds that are installed and can take these labels.

    Args:
        kinds: which.
        labels: shape (rows,): int64 or texts; float64 where numbers are learnt.
    """
    counted = labels.dtype.kind == "f" or (
        labels.dtype.kind == "i" and set(labels.tolist()) == set(range(len(set(labels.tolist()))))
    )
    # XGBoost takes no classes but 0, 1, 2 and so on.
    return [kind for kind in kinds if is_installed(kind) and (counted or kind != "XGBoost")]


def propose(kinds: Sequence[Candidate], metric: str, max_trials: int) -> list[Proposal]:
    """What is tried, in order: each kind once, then each with its next settings, and so on.

    F1 and recall ask for the rarer class, so kinds that can weigh classes try that second.
    """
    wanted = [kind for kind in CANDIDATES if kind in kinds]
    ladders = [[Proposal(kind, params) for params in _ladder(kind, metric)] for kind in wanted]
    rounds = [proposal for row in zip_longest(*ladders) for proposal in row if proposal]
    return rounds[:max_trials]


def propose_near(
    begin: Sequence[Proposal], kinds: Sequence[Candidate], metric: str, max_trials: int
) -> list[Proposal]:
    """What is tried where a search begins with a champion.

    First ``begin``, then each other kind with what one would start with, then the settings that
    stand next to the champion's among those of its kind.
    """
    own = begin[-1]
    others = [kind for kind in CANDIDATES if kind in kinds and kind != own.kind]
    ladder = _ladder(own.kind, metric)
    near = ladder[:1]
    if own.params in ladder:
        place = ladder.index(own.params)
        near = [*ladder[place + 1 : place + 2], *ladder[max(place - 1, 0) : place]]
    return [
        *begin,
        *(Proposal(kind, _ladder(kind, metric)[0]) for kind in others),
        *(Proposal(own.kind, params) for params in near),
    ][:max_trials]


def _ladder(kind: Candidate, metric: str) -> list[Mapping[str, Any]]:
    if kind not in WEIGHS_CLASSES or metric not in ("f1", "recall", "balanced_accuracy"):
        return list(SETTINGS[kind])
    return [{**params, **extra} for params in SETTINGS[kind] for extra in ({}, BALANCED)]
