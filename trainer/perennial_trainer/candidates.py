"""The kinds of model that are tried, each with a few settings, as scikit-learn pipelines.

All that is used here converts to ONNX without a change of meaning. What does not is left out:
categories that boosted trees split themselves, forests that meet NaN, texts that are None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from perennial_contracts.retrainjob import CANDIDATES, Candidate

from .features import Feature

MAX_CATEGORIES = 100
"""Columns that one text is spread over; rarer values share one."""
BALANCED: Mapping[str, Any] = {"class_weight": "balanced"}

SETTINGS: Mapping[Candidate, Sequence[Mapping[str, Any]]] = {
    "Logistic": ({"C": 1.0}, {"C": 0.05}, {"C": 20.0}),
    "DecisionTree": (
        {"max_depth": 5, "min_samples_leaf": 20},
        {"max_depth": 8, "min_samples_leaf": 50},
        {"max_depth": 3, "min_samples_leaf": 20},
    ),
    "RandomForest": (
        {"n_estimators": 100, "max_depth": 12, "min_samples_leaf": 5},
        {"n_estimators": 150, "max_depth": 16, "min_samples_leaf": 2},
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

_CLASSES: Mapping[Candidate, type] = {
    "Logistic": LogisticRegression,
    "DecisionTree": DecisionTreeClassifier,
    "RandomForest": RandomForestClassifier,
    "HistGradientBoosting": HistGradientBoostingClassifier,
    "MLP": MLPClassifier,
}
_ALWAYS: Mapping[Candidate, Mapping[str, Any]] = {
    "Logistic": {"max_iter": 500},
    "DecisionTree": {},
    "RandomForest": {},
    "HistGradientBoosting": {},
    "MLP": {"early_stopping": True, "max_iter": 60},
}


@dataclass(frozen=True)
class Proposal:
    """A kind of model with settings."""

    kind: Candidate
    params: Mapping[str, Any]


def propose(kinds: Sequence[Candidate] | None, metric: str, max_trials: int) -> list[Proposal]:
    """What is tried, in order: each kind once, then each with its next settings, and so on.

    F1 and recall ask for the rarer class, so kinds that can weigh classes try that second.
    """
    wanted = [kind for kind in CANDIDATES if kinds is None or kind in kinds]
    ladders = [[Proposal(kind, params) for params in _ladder(kind, metric)] for kind in wanted]
    rounds = [proposal for row in zip_longest(*ladders) for proposal in row if proposal]
    return rounds[:max_trials]


def _ladder(kind: Candidate, metric: str) -> list[Mapping[str, Any]]:
    if kind == "MLP" or metric not in ("f1", "recall"):
        return list(SETTINGS[kind])
    return [{**params, **extra} for params in SETTINGS[kind] for extra in ({}, BALANCED)]


def make_pipeline(
    proposal: Proposal, features: Sequence[Feature], seed: int, threads: int = 1
) -> Pipeline:
    """An unfitted pipeline that takes a data frame of clean rows."""
    settings: dict[str, Any] = {**_ALWAYS[proposal.kind], **proposal.params, "random_state": seed}
    if proposal.kind == "RandomForest":
        settings["n_jobs"] = threads
    model: ClassifierMixin = _CLASSES[proposal.kind](**settings)
    return Pipeline([("columns", _columns(proposal.kind, features)), ("model", model)])


def _columns(kind: Candidate, features: Sequence[Feature]) -> ColumnTransformer:
    texts = [feature.name for feature in features if feature.is_text]
    numbers = [feature.name for feature in features if not feature.is_text]
    parts: list[tuple[str, Any, list[str]]] = []
    if texts:
        encoder = OneHotEncoder(
            handle_unknown="ignore",
            max_categories=MAX_CATEGORIES,
            sparse_output=False,
            dtype=np.float32,
        )
        parts.append(("texts", encoder, texts))
    if numbers:
        parts.append(("numbers", _number_steps(kind), numbers))
    return ColumnTransformer(parts)


def _number_steps(kind: Candidate) -> Any:
    if kind == "HistGradientBoosting":
        return "passthrough"  # it learns which way a missing value goes
    # A column that is missing throughout would vanish, and the ONNX model would not know.
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    if kind in ("Logistic", "MLP"):
        return Pipeline([("impute", imputer), ("scale", StandardScaler())])
    return imputer  # neither a tree nor a forest that met NaN converts rightly
