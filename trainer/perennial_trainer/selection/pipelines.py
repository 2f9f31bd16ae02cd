"""Candidates as scikit-learn pipelines over a data frame of clean rows.

Everything here converts to ONNX without a change of meaning. Two things do not and are not used:
categories that boosted trees split themselves, and texts that are None.
"""

import warnings
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn import ensemble, linear_model, neural_network, tree
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from perennial_contracts.api.search import Candidate
from perennial_contracts.wire.modelcard import TaskName

from ..data.features import Feature
from . import boosted_trees
from .model_kinds import PACKAGES, SearchCandidate

MAX_CATEGORIES = 100
"""Most columns of one encoded text; rarer values share one."""
SCALED: frozenset[Candidate] = frozenset({"Logistic", "Linear", "MLP"})
CUT_AT_VALUES: frozenset[Candidate] = frozenset({"HistGradientBoosting"})
"""Kinds that look for splits among the values of a column, and fail if it has none."""
PARALLEL: frozenset[Candidate] = frozenset({"ExtraTrees", "RandomForest", "LightGBM", "XGBoost"})

_MODULES: Mapping[Candidate, Any] = {
    "Logistic": linear_model, "Linear": linear_model, "DecisionTree": tree,
    "ExtraTrees": ensemble, "RandomForest": ensemble, "HistGradientBoosting": ensemble,
    "MLP": neural_network,
}  # fmt: skip
_NAMES: Mapping[Candidate, str] = {
    "Logistic": "LogisticRegression", "Linear": "Ridge", "LightGBM": "LGBM", "XGBoost": "XGB",
}  # fmt: skip
"""Class names that are not the kind followed by Classifier or Regressor."""
_ALWAYS: Mapping[Candidate, Mapping[str, Any]] = {
    "Logistic": {"max_iter": 500},
    "MLP": {"early_stopping": True, "max_iter": 60},
    "LightGBM": {"deterministic": True, "force_row_wise": True, "verbosity": -1},
    "XGBoost": {"tree_method": "hist"},
}


def make_pipeline(
    candidate: SearchCandidate,
    features: Sequence[Feature],
    task: TaskName,
    seed: int,
    threads: int = 1,
    empty: Collection[str] = (),
) -> Pipeline:
    """Return an unfitted pipeline for a data frame of clean rows.

    Missing values in the columns of ``empty`` become zeros.

    Raises:
        ModuleNotFoundError: if the package of the kind is not installed.
    """
    kind = candidate.kind
    settings: dict[str, Any] = {**_ALWAYS.get(kind, {}), **candidate.params, "random_state": seed}
    if kind in PARALLEL:
        settings["n_jobs"] = threads
    model = _class(kind, task)(**settings)
    return Pipeline([("columns", _columns(kind, features, empty)), ("model", model)])


def fit(
    candidate: SearchCandidate,
    frame: pd.DataFrame,
    labels: np.ndarray,
    features: Sequence[Feature],
    task: TaskName,
    seed: int,
    threads: int = 1,
) -> Pipeline:
    """Return a fitted pipeline.

    Args:
        candidate: the kind and its settings.
        frame: clean rows.
        labels: shape (rows,): int64 or texts; float64 for a regression.
        features: the columns to learn from.
        task: classification or regression.
        seed: seed of all random choices.
        threads: most threads.

    Raises:
        Exception: the error of the model.
    """
    empty = _empty(frame, features) if candidate.kind in CUT_AT_VALUES else []
    pipeline = make_pipeline(candidate, features, task, seed, threads, empty)
    with threadpool_limits(threads), warnings.catch_warnings():
        # The candidate is compared as it is, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # All rows of a time-ordered fold may lack a column; the imputer fills it.
        warnings.filterwarnings("ignore", "Skipping features without any observed values")
        if candidate.trees is not None:
            boosted_trees.fit(pipeline, candidate.trees, frame, labels)
        elif candidate.kind == "MLP" and task == "Regression":
            _fit_scaled(pipeline, frame, labels)
        else:
            pipeline.fit(frame, labels)
    return pipeline


def _empty(frame: pd.DataFrame, features: Sequence[Feature]) -> list[str]:
    return [each.name for each in features if not each.is_text and frame[each.name].isna().all()]


def _fit_scaled(pipeline: Pipeline, frame: pd.DataFrame, numbers: np.ndarray) -> None:
    """Fit a network to scaled numbers, then scale its linear last layer back.

    A wrapper that scales the target would not convert; the last layer computes the same exactly.
    """
    middle, spread = float(numbers.mean()), float(numbers.std()) or 1.0
    pipeline.fit(frame, (numbers - middle) / spread)
    network = pipeline.named_steps["model"]
    network.coefs_[-1] = network.coefs_[-1] * spread
    network.intercepts_[-1] = network.intercepts_[-1] * spread + middle


def _class(kind: Candidate, task: TaskName) -> Any:
    if kind in PACKAGES:
        try:
            module = import_module(PACKAGES[kind])
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"the package {PACKAGES[kind]} is not installed. Remove {kind} from "
                "search.candidates, or use a trainer image that has it"
            ) from error
    else:
        module = _MODULES[kind]
    if kind in ("Logistic", "Linear"):
        return getattr(module, _NAMES[kind])
    suffix = "Classifier" if task == "Classification" else "Regressor"
    return getattr(module, _NAMES.get(kind, kind) + suffix)


def _columns(
    kind: Candidate, features: Sequence[Feature], empty: Collection[str]
) -> ColumnTransformer:
    texts = [feature.name for feature in features if feature.is_text]
    numbers = [each.name for each in features if not each.is_text and each.name not in empty]
    parts: list[tuple[str, Any, list[str]]] = []
    if texts:
        encoder = OneHotEncoder(
            handle_unknown="ignore",
            max_categories=MAX_CATEGORIES,
            sparse_output=False,
            dtype=np.float32,
        )
        parts.append(("texts", encoder, texts))
    if empty:
        zeros = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
        parts.append(("empty", zeros, list(empty)))
    if numbers:
        parts.append(("numbers", _number_steps(kind), numbers))
    return ColumnTransformer(parts)


def _number_steps(kind: Candidate) -> Any:
    if kind not in SCALED:
        # Trees learn the branch of missing values.
        return "passthrough"
    # A column without any value would vanish here, but not from the inputs of the ONNX model.
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return Pipeline([("impute", imputer), ("scale", StandardScaler())])
