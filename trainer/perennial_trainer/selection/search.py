"""Finds a model: candidates, on growing parts of the rows, by cross-validation, within a budget."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from perennial_contracts.api.search import Budget, Candidate, Search
from perennial_contracts.wire.modelcard import CandidateTrial
from perennial_contracts.wire.run_plan import Best, Progress, TrainingFailure

from ..data.features import Feature
from ..errors import StepError
from ..model.cost import Cost
from .candidates import first
from .champion import Champion
from .choose import choose, gain
from .halving import rounds, survivors
from .model_kinds import Proposal
from .report import SearchReport, line, start_trial
from .scoring import check_task
from .trials import Measured, Problem, cross_validate, try_dummy

__all__ = ["Found", "SearchReport", "check_task", "search"]


@dataclass(frozen=True)
class Found:
    """What the search came to."""

    pipeline: Pipeline
    """Fitted on all rows."""
    candidate: Candidate
    report: SearchReport


def search(
    frame: pd.DataFrame,
    labels: np.ndarray,
    features: Sequence[Feature],
    wanted: Search,
    positive: str | None,
    *,
    budget: Budget | None = None,
    champion: Champion | None = None,
    threads: int = 1,
    tell: Callable[[str], None] = lambda line: None,
    show: Callable[[Progress], None] = lambda progress: None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Tries what is wanted and fits the one that is chosen on all rows.

    Args:
        frame: clean rows, in the order of time unless ``wanted.order`` says that they are not.
        labels: shape (rows,): int64 or texts; float64 where numbers are to be learnt.
        features: the columns to learn from.
        wanted: which kinds, by which metric, how many and for how long.
        positive: of two labels the one that the metric is about.
        budget: how quick and how small the model must be.
        champion: where the search begins; None for one that begins anew.
        threads: most threads of a fit.
        tell: takes a line for people after each trial.
        show: takes how far the search is, after each trial.
        clock: seconds, for tests.

    Raises:
        StepError: OneClass, DataUnreadable for a positive label that does not occur, BadPlan for a
            metric or a kind that there is not for these labels, TrainingFailed where nothing could
            be fitted, OverBudget where all that could is beyond the budget.
    """
    task = check_task(labels, positive, wanted.metric)
    problem = Problem(frame, labels, features, task, wanted, threads)
    return _Searching(problem, budget or Budget(), champion, tell, show, clock).run()


class _Searching:
    """One search, as far as it is."""

    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        champion: Champion | None,
        tell: Callable[[str], None],
        show: Callable[[Progress], None],
        clock: Callable[[], float],
    ) -> None:
        self.problem, self.budget, self.wanted = problem, budget, problem.wanted
        self.champion = champion
        self.tell, self.show, self.clock = tell, show, clock
        self.begun = clock()
        self.trials: list[CandidateTrial] = []
        self.done = 0

    def run(self) -> Found:
        self.problem, proposals = first(self.problem, self.champion, self.tell)
        folds, order = self.problem.folds()
        self.trials = [try_dummy(self.problem, folds), *map(start_trial, proposals)]
        self.tell(line(self.trials[0], self.wanted.metric))
        sizes = rounds(len(self.problem.labels), len(proposals))
        entrants = [(place + 1, proposal) for place, proposal in enumerate(proposals)]
        measured: list[Measured] = []
        for number, rows in enumerate(sizes):
            last = rows == sizes[-1]
            tried = self._round(entrants, rows, first=number == 0)
            if not tried and measured:
                # The time is over; what fails on more rows is not taken for how it did on fewer.
                measured = [one for one in measured if self.trials[one.index].status == "Done"]
                break
            measured = tried
            if not last and measured:
                values = [gain(float(one.values.mean()), self.wanted.metric) for one in measured]
                kept = [measured[place] for place in survivors(values)]
                self._drop(measured, kept)
                entrants = [(one.index, one.proposal) for one in kept]
        if not measured:
            problems = "; ".join(f"{trial.kind}: {trial.problem}" for trial in self.trials[1:])
            raise StepError(
                TrainingFailure.TRAINING_FAILED, f"no candidate could be fitted: {problems}"
            )
        winner, pipeline, why = self._settle(measured)
        self.trials[winner.index].chosen = True
        self.tell(f"{winner.proposal.kind} is taken: {why}")
        report = SearchReport(
            task=self.problem.kind,
            metric=self.wanted.metric,
            order=order,
            trials=self.trials,
            chosen=winner.index,
            why=why,
            budget=self.budget.limits(),
        )
        return Found(pipeline, winner.proposal.kind, report)

    def _round(
        self, entrants: Sequence[tuple[int, Proposal]], rows: int, *, first: bool
    ) -> list[Measured]:
        """Those of some candidates that could be fitted on the latest rows."""
        part = self.problem.latest(rows)
        folds, _ = part.folds()
        if rows < len(self.problem.labels) or not first:
            self.tell(f"{len(entrants)} candidates on {rows:,} rows")
        measured: list[Measured] = []
        for index, proposal in entrants:
            trial = self.trials[index]
            if (measured or not first) and self.clock() - self.begun > self.wanted.maxSeconds:
                trial.problem = f"{self.wanted.maxSeconds} s are over"
                if measured:
                    trial.status = "Skipped" if first else "Halved"
                continue
            values = cross_validate(proposal, trial, part, folds, self.clock)
            if values is not None:
                measured.append(Measured(proposal, index, values))
            self.tell(line(trial, self.wanted.metric))
            self.done += first
            self.show(self._progress(measured))
        return measured

    def _drop(self, measured: Sequence[Measured], kept: Sequence[Measured]) -> None:
        for one in measured:
            if one not in kept:
                trial = self.trials[one.index]
                trial.status = "Halved"
                trial.problem = f"others did better on {trial.rows:,} rows"

    def _settle(self, measured: list[Measured]) -> tuple[Measured, Pipeline, str]:
        """The one that is taken, fitted on all rows; of those that are within the budget."""
        left = list(measured)
        over: list[str] = []
        for one in measured:
            trial = self.trials[one.index]
            assert trial.p95_microseconds is not None
            assert trial.size_bytes is not None
            cost = Cost(trial.p95_microseconds, trial.size_bytes)
            if excess := cost.excess(self.budget):
                over.append(self._exclude(one, cost, excess))
                left.remove(one)
        while left:
            chosen, why = choose(
                [(one.proposal.kind, one.values) for one in left], self.wanted.metric
            )
            winner = left[chosen]
            try:
                pipeline = self.problem.fit(winner.proposal)
                # With all rows it may have grown.
                cost = self.problem.cost(pipeline)
            except Exception as error:
                raise StepError(
                    TrainingFailure.TRAINING_FAILED, f"{winner.proposal.kind} on all rows: {error}"
                ) from error
            excess = cost.excess(self.budget)
            if not excess:
                trial = self.trials[winner.index]
                trial.p95_microseconds, trial.size_bytes = cost.p95_microseconds, cost.size_bytes
                return winner, pipeline, why
            over.append(self._exclude(winner, cost, excess))
            left.remove(winner)
        raise StepError(
            TrainingFailure.OVER_BUDGET,
            f"budget: no candidate is within it: {'; '.join(over)}. Raise "
            f"{' or '.join(f'budget.{name}' for name in self.budget.limits())}, or ask for smaller "
            "kinds in search.candidates",
        )

    def _exclude(self, one: Measured, cost: Cost, excess: str) -> str:
        trial = self.trials[one.index]
        trial.status, trial.problem = "OverBudget", excess
        trial.p95_microseconds, trial.size_bytes = cost.p95_microseconds, cost.size_bytes
        return f"{one.proposal.kind} {excess}"

    def _progress(self, measured: Sequence[Measured]) -> Progress:
        metric = self.wanted.metric
        best = max(measured, key=lambda one: gain(float(one.values.mean()), metric), default=None)
        return Progress(
            trialsDone=self.done,
            trialsTotal=len(self.trials) - 1,
            best=best
            and Best(kind=best.proposal.kind, metric=metric, value=float(best.values.mean())),
        )
