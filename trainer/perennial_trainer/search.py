"""Finds a model: a few kinds with a few settings each, compared by time-ordered cross-validation.

The simplest kind within one standard error of the best is taken (Hastie, Tibshirani and Friedman,
The Elements of Statistical Learning, 7.10). The error is that of the difference to the best over
the folds, for both are measured on the same ones.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from perennial_contracts.quality import MetricName
from perennial_contracts.retrainjob import CANDIDATES, Candidate, Search
from perennial_contracts.training import TrainingFailure

from .candidates import Proposal, make_pipeline, propose
from .errors import StepError
from .evaluate.counts import Counts
from .evaluate.task import Answers, Task, make_task
from .features import Feature, as_text

FOLDS = 3
Folds = list[tuple[np.ndarray, np.ndarray]]


class Trial(BaseModel):
    """One kind with one choice of settings."""

    kind: str
    params: dict[str, Any] = {}
    status: str = "Done"
    """Done, Failed, or Skipped for want of time."""
    mean: float | None = None
    """The metric, over the folds."""
    deviation: float | None = None
    """Standard deviation over the folds."""
    seconds: float = 0.0
    """To fit all folds."""
    problem: str = ""
    """Why it failed."""


class SearchReport(BaseModel):
    """The contents of search.json."""

    metric: MetricName
    order: str
    """TimeOrdered, or Shuffled where the folds in the order of time lack a class."""
    trials: list[Trial]
    chosen: int
    """Index of the trial whose settings were taken."""
    why: str


@dataclass(frozen=True)
class Found:
    """What the search came to."""

    pipeline: Pipeline
    """Fitted on all rows."""
    candidate: Candidate
    report: SearchReport


@dataclass(frozen=True)
class _Measured:
    proposal: Proposal
    index: int
    folds: np.ndarray


def search(
    frame: pd.DataFrame,
    labels: np.ndarray,
    features: Sequence[Feature],
    wanted: Search,
    positive: str | None,
    *,
    threads: int = 1,
    tell: Callable[[str], None] = lambda line: None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Tries what is wanted and fits the best on all rows.

    Args:
        frame: clean rows in the order of time.
        labels: shape (rows,), int64 or texts.
        features: the columns to learn from.
        wanted: which kinds, by which metric, how many and for how long.
        positive: of two labels the one that the metric is about.
        threads: most threads of a fit.
        tell: takes a line for people after each trial.
        clock: seconds, for tests.

    Raises:
        StepError: OneClass, DataUnreadable for a positive label that does not occur, BadPlan for a
            metric that there is not for these labels, TrainingFailed where nothing could be fitted.
    """
    task = check_task(labels, positive, wanted.metric)
    folds, order = split_folds(labels, wanted.seed)
    begun = clock()
    trials = [_dummy(labels, folds, task, wanted.metric, tell)]
    measured: list[_Measured] = []
    for proposal in propose(wanted.candidates, wanted.metric, wanted.maxTrials):
        trial = Trial(kind=proposal.kind, params=dict(proposal.params))
        trials.append(trial)
        if measured and clock() - begun > wanted.maxSeconds:
            trial.status, trial.problem = "Skipped", f"{wanted.maxSeconds} s are over"
            continue
        start = clock()
        try:
            values = [
                _fold(proposal, frame, labels, features, fold, task, wanted, threads)
                for fold in folds
            ]
        # A kind that cannot learn these rows must not keep the others from it.
        except Exception as error:
            trial.status, trial.problem = "Failed", f"{type(error).__name__}: {error}"[:500]
        else:
            measured.append(_Measured(proposal, len(trials) - 1, np.array(values)))
            trial.mean, trial.deviation = float(np.mean(values)), float(np.std(values))
        trial.seconds = round(clock() - start, 3)
        tell(_line(trial, wanted.metric))
    if not measured:
        problems = "; ".join(f"{trial.kind}: {trial.problem}" for trial in trials[1:])
        raise StepError(
            TrainingFailure.TRAINING_FAILED, f"no candidate could be fitted: {problems}"
        )
    chosen, why = choose([(one.proposal.kind, one.folds) for one in measured])
    winner = measured[chosen]
    tell(f"{winner.proposal.kind} is taken: {why}")
    try:
        pipeline = _fit(winner.proposal, frame, labels, features, wanted.seed, threads)
    except Exception as error:
        raise StepError(
            TrainingFailure.TRAINING_FAILED, f"{winner.proposal.kind} on all rows: {error}"
        ) from error
    report = SearchReport(
        metric=wanted.metric, order=order, trials=trials, chosen=winner.index, why=why
    )
    return Found(pipeline, winner.proposal.kind, report)


def check_task(labels: np.ndarray, positive: str | None, metric: str) -> Task:
    """The task of some labels.

    Raises:
        StepError: OneClass, DataUnreadable or BadPlan, as :func:`search` says.
    """
    classes = np.unique(as_text(labels))
    if len(classes) < 2:
        raise StepError(
            TrainingFailure.ONE_CLASS,
            f"expected rows of two labels or more to learn from, got {len(labels)} rows that are "
            f"all {classes[0] if len(classes) else 'missing'}",
        )
    try:
        task = make_task(classes.tolist(), positive)
    except ValueError as error:
        raise StepError(TrainingFailure.DATA_UNREADABLE, f"data.positive: {error}") from error
    if metric not in task.metrics:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"metric: expected one of {', '.join(task.metrics)} for {len(task.classes)} labels, "
            f"got {metric}",
        )
    return task


def choose(measured: Sequence[tuple[Candidate, np.ndarray]]) -> tuple[int, str]:
    """Which of some trials is taken, and why.

    Args:
        measured: kind and values by fold, shape (folds,), of each trial.

    Returns:
        Index of the simplest kind within one standard error of the best; of several settings of
        that kind the one with the highest mean.
    """
    means = [float(values.mean()) for _, values in measured]
    best = int(np.argmax(means))
    close = []
    for index, (_, values) in enumerate(measured):
        gap = measured[best][1] - values
        error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
        if gap.mean() <= error:
            close.append(index)
    taken = min(close, key=lambda i: (CANDIDATES.index(measured[i][0]), -means[i], i))
    if measured[taken][0] == measured[best][0]:
        return best, f"the best of {len(measured)} by cross-validation"
    return taken, (
        f"{means[taken]:.4f} is within one standard error of the best, "
        f"{measured[best][0]} with {means[best]:.4f}, and it is simpler"
    )


def split_folds(labels: np.ndarray, seed: int) -> tuple[Folds, str]:
    """Folds whose validation rows come after those that are learnt from, and how they are ordered.

    Shuffled folds stand in where the former leave fewer than two usable ones.
    """

    def usable(folds: Any) -> Folds:
        return [
            (train, test)
            for train, test in folds
            if len(np.unique(labels[train])) > 1 and len(np.unique(labels[test])) > 1
        ]

    rows = np.arange(len(labels))
    if len(labels) <= FOLDS:
        return [], "TimeOrdered"
    in_time = usable(TimeSeriesSplit(FOLDS).split(rows))
    if len(in_time) > 1:
        return in_time, "TimeOrdered"
    return usable(KFold(FOLDS, shuffle=True, random_state=seed).split(rows)), "Shuffled"


def _fold(
    proposal: Proposal,
    frame: pd.DataFrame,
    labels: np.ndarray,
    features: Sequence[Feature],
    fold: tuple[np.ndarray, np.ndarray],
    task: Task,
    wanted: Search,
    threads: int,
) -> float:
    train, test = fold
    pipeline = _fit(proposal, frame.iloc[train], labels[train], features, wanted.seed, threads)
    return _score(pipeline, frame.iloc[test], labels[test], task, wanted.metric)


def _fit(
    proposal: Proposal,
    frame: pd.DataFrame,
    labels: np.ndarray,
    features: Sequence[Feature],
    seed: int,
    threads: int,
) -> Pipeline:
    pipeline = make_pipeline(proposal, features, seed, threads)
    with threadpool_limits(threads), warnings.catch_warnings():
        # It is compared with others as it is; that it might get better is no reason to stop.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # A row of a time-ordered fold may lack a column altogether; it is filled.
        warnings.filterwarnings("ignore", "Skipping features without any observed values")
        pipeline.fit(frame, labels)
    return pipeline


def _score(
    model: Any, frame: pd.DataFrame, labels: np.ndarray, task: Task, metric: MetricName
) -> float:
    classes = [str(label) for label in model.classes_]
    answers = Answers(as_text(model.predict(frame)), model.predict_proba(frame), classes)
    return Counts(task, as_text(labels), answers).value(metric)


def _dummy(
    labels: np.ndarray,
    folds: Folds,
    task: Task,
    metric: MetricName,
    tell: Callable[[str], None],
) -> Trial:
    """What one gets without learning anything: the most frequent label, always."""
    nothing = pd.DataFrame(index=pd.RangeIndex(len(labels)))
    values = []
    for train, test in folds:
        dummy = DummyClassifier(strategy="prior").fit(nothing.iloc[train], labels[train])
        values.append(_score(dummy, nothing.iloc[test], labels[test], task, metric))
    trial = Trial(kind="Dummy")
    if values:
        trial.mean, trial.deviation = float(np.mean(values)), float(np.std(values))
    else:
        trial.status, trial.problem = "Failed", "no part of the rows has two labels"
    tell(_line(trial, metric))
    return trial


def _line(trial: Trial, metric: str) -> str:
    settings = ", ".join(f"{key}={value}" for key, value in trial.params.items())
    name = f"{trial.kind}({settings})" if settings else trial.kind
    if trial.mean is None:
        return f"{name}: {trial.status.lower()}: {trial.problem}"
    return f"{name}: {metric} {trial.mean:.4f} ± {trial.deviation:.4f} in {trial.seconds:.1f} s"
