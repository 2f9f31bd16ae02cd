"""Trials: fit and score a candidate fold by fold, and measure it as ONNX."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import Pipeline

from perennial_contracts.api.search import Budget, Search
from perennial_contracts.wire.modelcard import CandidateTrial, TaskName

from ..conversion.sklearn_to_onnx import convert
from ..data.features import Feature
from ..evaluation.task import Task
from ..model.cost import Cost, measure_cost
from . import pipelines
from .folds import Folds, Order, split_folds
from .model_kinds import SearchCandidate
from .scoring import check_task, score


@dataclass(frozen=True)
class SearchProblem:
    """The rows and the settings of a search."""

    frame: pd.DataFrame
    """Clean rows, in the order of time unless ``search.order`` is Shuffled."""
    labels: np.ndarray
    """Shape (rows,): int64 or texts; float64 for a regression."""
    features: Sequence[Feature]
    task: Task
    search: Search
    budget: Budget
    threads: int = 1
    fresh: int | None = None
    """If given, candidates are compared on this many of the latest rows only."""

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        labels: np.ndarray,
        features: Sequence[Feature],
        search: Search,
        positive: str | None = None,
        *,
        budget: Budget | None = None,
        threads: int = 1,
    ) -> "SearchProblem":
        """Return the problem of rows, with the task that their labels have.

        Args:
            frame: clean rows.
            labels: shape (rows,).
            features: the columns to learn from.
            search: kinds, metric and limits.
            positive: the one of two labels that the metric is about.
            budget: limits of the model.
            threads: most threads of a fit.

        Raises:
            StepError: OneClass; DataUnreadable for a positive label that does not occur; BadPlan
                for a metric that does not exist for these labels.
        """
        task = check_task(labels, positive, search.metric)
        return cls(frame, labels, features, task, search, budget or Budget(), threads)

    @property
    def kind(self) -> TaskName:
        return "Classification" if self.task.classes else "Regression"

    def latest(self, rows: int) -> "SearchProblem":
        """Return the problem with the latest rows only; random ones without an order."""
        if rows >= len(self.labels):
            return self
        if self.search.order == "TimeOrdered":
            chosen = np.arange(len(self.labels) - rows, len(self.labels))
        else:
            random = np.random.default_rng(self.search.seed)
            chosen = np.sort(random.choice(len(self.labels), rows, replace=False))
        frame = self.frame.iloc[chosen].reset_index(drop=True)
        return replace(self, frame=frame, labels=self.labels[chosen])

    def folds(self) -> tuple[Folds, Order]:
        """Return the folds of cross-validation and their order."""
        search = self.search
        return split_folds(self.labels, search.seed, search.order, self.kind, self.fresh)

    def fit(self, candidate: SearchCandidate, rows: np.ndarray | None = None) -> Pipeline:
        """Return a candidate fitted on some rows, or on all."""
        frame = self.frame if rows is None else self.frame.iloc[rows]
        labels = self.labels if rows is None else self.labels[rows]
        seed = self.search.seed
        return pipelines.fit(candidate, frame, labels, self.features, self.kind, seed, self.threads)

    def cost(self, pipeline: Pipeline) -> Cost:
        """Return the cost of a fitted candidate as ONNX."""
        return measure_cost(convert(pipeline, self.features), self.frame, self.features)


@dataclass(frozen=True)
class ScoredCandidate:
    """A candidate that could be fitted."""

    candidate: SearchCandidate
    index: int
    """Index of its trial."""
    values: np.ndarray
    """The metric by fold, shape (folds,)."""

    @property
    def mean(self) -> float:
        return float(self.values.mean())


def cross_validate(
    candidate: SearchCandidate,
    trial: CandidateTrial,
    problem: SearchProblem,
    folds: Folds,
    clock: Callable[[], float],
) -> np.ndarray | None:
    """Fit and score a candidate, and record the result in its trial.

    Args:
        candidate: the candidate.
        trial: its trial.
        problem: the rows.
        folds: folds of these rows.
        clock: the time in seconds.

    Returns:
        The metric by fold, shape (folds,); None if it failed.
    """
    start = clock()
    metric = problem.search.metric
    try:
        values, pipeline = [], None
        for train, test in folds:
            pipeline = problem.fit(candidate, train)
            values.append(
                score(
                    pipeline, problem.frame.iloc[test], problem.labels[test], problem.task, metric
                )
            )
        if pipeline is None or not np.isfinite(values).all():
            raise ValueError(f"{metric} is not defined on parts of the {len(problem.labels)} rows")
        cost = problem.cost(pipeline)
    # A kind that cannot learn these rows, or cannot be served, must not stop the others.
    except Exception as error:
        trial.status, trial.problem = "Failed", f"{type(error).__name__}: {error}"[:500]
        return None
    else:
        trial.mean, trial.deviation = float(np.mean(values)), float(np.std(values))
        trial.p95_microseconds, trial.size_bytes = cost.p95_microseconds, cost.size_bytes
        return np.array(values)
    finally:
        trial.rows = len(problem.labels)
        trial.seconds = round(trial.seconds + clock() - start, 3)


def try_dummy(problem: SearchProblem, folds: Folds) -> CandidateTrial:
    """Return the trial of a constant prediction: shares of the classes, or median."""
    nothing = pd.DataFrame(index=pd.RangeIndex(len(problem.labels)))
    metric, values = problem.search.metric, []
    for train, test in folds:
        dummy = (
            DummyClassifier(strategy="prior")
            if problem.task.classes
            else DummyRegressor(strategy="median")
        )
        dummy.fit(nothing.iloc[train], problem.labels[train])
        values.append(score(dummy, nothing.iloc[test], problem.labels[test], problem.task, metric))
    trial = CandidateTrial(kind="Dummy", rows=len(problem.labels))
    if values:
        trial.mean, trial.deviation = float(np.mean(values)), float(np.std(values))
    else:
        trial.status, trial.problem = "Failed", "no part of the rows has two labels"
    return trial
