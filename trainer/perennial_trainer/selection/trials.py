"""One candidate on some rows: fitted and scored fold by fold, and what it costs as ONNX."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import Pipeline

from perennial_contracts.api.search import Search
from perennial_contracts.wire.modelcard import CandidateTrial, TaskName

from ..conversion.sklearn_to_onnx import convert
from ..data.features import Feature
from ..evaluation.task import Task
from ..model.cost import Cost, measure
from . import pipelines
from .folds import Folds, Order, split_folds
from .model_kinds import Proposal
from .scoring import score


@dataclass(frozen=True)
class Problem:
    """What is searched on."""

    frame: pd.DataFrame
    """Clean rows."""
    labels: np.ndarray
    """Shape (rows,): int64 or texts; float64 where numbers are learnt."""
    features: Sequence[Feature]
    task: Task
    wanted: Search
    threads: int = 1
    fresh: int | None = None
    """Where given, candidates are compared on so many of the latest rows alone."""

    @property
    def kind(self) -> TaskName:
        return "Classification" if self.task.classes else "Regression"

    def latest(self, rows: int) -> "Problem":
        """The same with the latest rows alone; drawn at random where the order says nothing."""
        if rows >= len(self.labels):
            return self
        if self.wanted.order == "TimeOrdered":
            places = np.arange(len(self.labels) - rows, len(self.labels))
        else:
            random = np.random.default_rng(self.wanted.seed)
            places = np.sort(random.choice(len(self.labels), rows, replace=False))
        frame = self.frame.iloc[places].reset_index(drop=True)
        return replace(self, frame=frame, labels=self.labels[places])

    def folds(self) -> tuple[Folds, Order]:
        wanted = self.wanted
        return split_folds(self.labels, wanted.seed, wanted.order, self.kind, self.fresh)

    def fit(self, proposal: Proposal, rows: np.ndarray | None = None) -> Pipeline:
        """A candidate fitted on some rows, or on all."""
        frame = self.frame if rows is None else self.frame.iloc[rows]
        labels = self.labels if rows is None else self.labels[rows]
        seed = self.wanted.seed
        return pipelines.fit(proposal, frame, labels, self.features, self.kind, seed, self.threads)

    def cost(self, pipeline: Pipeline) -> Cost:
        """What a fitted candidate costs as ONNX."""
        return measure(convert(pipeline, self.features), self.frame, self.features)


@dataclass(frozen=True)
class Measured:
    """A candidate that could be fitted."""

    proposal: Proposal
    index: int
    """Of its trial."""
    values: np.ndarray
    """The metric by fold, shape (folds,)."""


def cross_validate(
    proposal: Proposal,
    trial: CandidateTrial,
    problem: Problem,
    folds: Folds,
    clock: Callable[[], float],
) -> np.ndarray | None:
    """Fits and scores a candidate, and writes what came of it into its trial.

    Args:
        proposal: what is tried.
        trial: its entry.
        problem: the rows.
        folds: of these rows.
        clock: seconds.

    Returns:
        The metric by fold, shape (folds,); None where it failed.
    """
    start = clock()
    metric = problem.wanted.metric
    try:
        values, pipeline = [], None
        for train, test in folds:
            pipeline = problem.fit(proposal, train)
            values.append(
                score(
                    pipeline, problem.frame.iloc[test], problem.labels[test], problem.task, metric
                )
            )
        if pipeline is None or not np.isfinite(values).all():
            raise ValueError(f"{metric} is not defined on parts of the {len(problem.labels)} rows")
        cost = problem.cost(pipeline)
    # A kind that cannot learn these rows, or not be served, must not keep the others from it.
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


def try_dummy(problem: Problem, folds: Folds) -> CandidateTrial:
    """What one gets without learning anything: the prior, or the median, always."""
    nothing = pd.DataFrame(index=pd.RangeIndex(len(problem.labels)))
    values = []
    for train, test in folds:
        dummy = (
            DummyClassifier(strategy="prior")
            if problem.task.classes
            else DummyRegressor(strategy="median")
        )
        dummy.fit(nothing.iloc[train], problem.labels[train])
        labels = problem.labels[test]
        values.append(score(dummy, nothing.iloc[test], labels, problem.task, problem.wanted.metric))
    trial = CandidateTrial(kind="Dummy", rows=len(problem.labels))
    if values:
        trial.mean, trial.deviation = float(np.mean(values)), float(np.std(values))
    else:
        trial.status, trial.problem = "Failed", "no part of the rows has two labels"
    return trial
