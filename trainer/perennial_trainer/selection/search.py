"""Search for a model: cross-validate candidates on growing parts of the rows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sklearn.pipeline import Pipeline

from perennial_contracts.api.search import Candidate
from perennial_contracts.wire.modelcard import CandidateTrial
from perennial_contracts.wire.run_plan import Best, Progress, TrainingFailure

from ..errors import StepError
from ..model.cost import Cost
from .candidates import choose_candidates
from .choose import choose, gain
from .folds import Order
from .halving import rounds, survivors
from .model_kinds import SearchCandidate
from .report import SearchReport, format_trial, start_trial
from .trials import ScoredCandidate, SearchProblem, cross_validate, try_dummy
from .warm_start import WarmStart


@dataclass(frozen=True)
class SearchResult:
    """The chosen model, and all that was tried."""

    pipeline: Pipeline
    """Fitted on all rows."""
    candidate: Candidate
    report: SearchReport


def search(
    problem: SearchProblem,
    *,
    warm_start: WarmStart | None = None,
    log: Callable[[str], None] = lambda line: None,
    show: Callable[[Progress], None] = lambda progress: None,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Try candidates, choose one and fit it on all rows.

    Args:
        problem: the rows and the settings.
        warm_start: the champion to begin with; None to start from scratch.
        log: receives a line after each trial.
        show: receives the progress after each trial.
        clock: the time in seconds, for tests.

    Raises:
        StepError: BadPlan for a kind that cannot learn the task, TrainingFailed if no candidate
            can be fitted, OverBudget if all that can be fitted exceed the budget.
    """
    return _SearchRun(problem, log, show, clock).run(warm_start)


class _SearchRun:
    """A search with its trials so far."""

    def __init__(
        self,
        problem: SearchProblem,
        log: Callable[[str], None],
        show: Callable[[Progress], None],
        clock: Callable[[], float],
    ) -> None:
        self.problem, self.budget, self.wanted = problem, problem.budget, problem.search
        self.log, self.show, self.clock = log, show, clock
        self.started = clock()
        self.trials: list[CandidateTrial] = []
        self.done = 0

    def run(self, warm_start: WarmStart | None) -> SearchResult:
        self.problem, candidates = choose_candidates(self.problem, warm_start, self.log)
        folds, order = self.problem.folds()
        self.trials = [try_dummy(self.problem, folds), *map(start_trial, candidates)]
        self.log(format_trial(self.trials[0], self.wanted.metric))
        scored = self._halve(candidates)
        if not scored:
            problems = "; ".join(f"{trial.kind}: {trial.problem}" for trial in self.trials[1:])
            raise StepError(
                TrainingFailure.TRAINING_FAILED, f"no candidate could be fitted: {problems}"
            )
        winner, pipeline, why = self._settle(scored)
        self.trials[winner.index].chosen = True
        self.log(f"{winner.candidate.kind} is chosen: {why}")
        return SearchResult(pipeline, winner.candidate.kind, self._report(winner, order, why))

    def _halve(self, candidates: Sequence[SearchCandidate]) -> list[ScoredCandidate]:
        """Return the candidates that reach the last round and can be fitted."""
        sizes = rounds(len(self.problem.labels), len(candidates))
        entrants = list(enumerate(candidates, start=1))
        scored: list[ScoredCandidate] = []
        for number, rows in enumerate(sizes):
            tried = self._round(entrants, rows, first=number == 0)
            if not tried and scored:
                # Out of time. One that failed on more rows is not chosen by its score on fewer.
                return [each for each in scored if self.trials[each.index].status == "Done"]
            scored = tried
            if rows != sizes[-1] and scored:
                values = [gain(each.mean, self.wanted.metric) for each in scored]
                kept = [scored[index] for index in survivors(values)]
                self._drop(scored, kept)
                entrants = [(each.index, each.candidate) for each in kept]
        return scored

    def _round(
        self, entrants: Sequence[tuple[int, SearchCandidate]], rows: int, *, first: bool
    ) -> list[ScoredCandidate]:
        """Return the candidates that can be fitted on the latest rows."""
        part = self.problem.latest(rows)
        folds, _ = part.folds()
        if rows < len(self.problem.labels) or not first:
            self.log(f"{len(entrants)} candidates on {rows:,} rows")
        scored: list[ScoredCandidate] = []
        for index, candidate in entrants:
            trial = self.trials[index]
            if (scored or not first) and self._is_out_of_time():
                trial.problem = f"{self.wanted.maxSeconds} s are over"
                if scored:
                    trial.status = "Skipped" if first else "Halved"
                continue
            values = cross_validate(candidate, trial, part, folds, self.clock)
            if values is not None:
                scored.append(ScoredCandidate(candidate, index, values))
            self.log(format_trial(trial, self.wanted.metric))
            self.done += first
            self.show(self._progress(scored))
        return scored

    def _is_out_of_time(self) -> bool:
        return self.clock() - self.started > self.wanted.maxSeconds

    def _drop(self, scored: Sequence[ScoredCandidate], kept: Sequence[ScoredCandidate]) -> None:
        for each in scored:
            if each not in kept:
                trial = self.trials[each.index]
                trial.status = "Halved"
                trial.problem = f"others did better on {trial.rows:,} rows"

    def _settle(self, scored: list[ScoredCandidate]) -> tuple[ScoredCandidate, Pipeline, str]:
        """Choose a candidate within the budget, and fit it on all rows."""
        left = list(scored)
        excluded: list[str] = []
        for each in scored:
            trial = self.trials[each.index]
            assert trial.p95_microseconds is not None
            assert trial.size_bytes is not None
            cost = Cost(trial.p95_microseconds, trial.size_bytes)
            if excess := cost.excess(self.budget):
                excluded.append(self._exclude(each, cost, excess))
                left.remove(each)
        while left:
            chosen, why = choose(
                [(each.candidate.kind, each.values) for each in left], self.wanted.metric
            )
            winner = left[chosen]
            pipeline, cost = self._fit_on_all(winner)
            # On all rows the model can be larger than in its trial.
            excess = cost.excess(self.budget)
            if not excess:
                trial = self.trials[winner.index]
                trial.p95_microseconds, trial.size_bytes = cost.p95_microseconds, cost.size_bytes
                return winner, pipeline, why
            excluded.append(self._exclude(winner, cost, excess))
            left.remove(winner)
        limits = " or ".join(f"budget.{name}" for name in self.budget.limits())
        raise StepError(
            TrainingFailure.OVER_BUDGET,
            f"all candidates exceed it: {'; '.join(excluded)}",
            field="budget",
            hint=f"Raise {limits}, or list smaller kinds in search.candidates",
        )

    def _fit_on_all(self, winner: ScoredCandidate) -> tuple[Pipeline, Cost]:
        try:
            pipeline = self.problem.fit(winner.candidate)
            return pipeline, self.problem.cost(pipeline)
        except Exception as error:
            raise StepError(
                TrainingFailure.TRAINING_FAILED, f"{winner.candidate.kind} on all rows: {error}"
            ) from error

    def _exclude(self, each: ScoredCandidate, cost: Cost, excess: str) -> str:
        trial = self.trials[each.index]
        trial.status, trial.problem = "OverBudget", excess
        trial.p95_microseconds, trial.size_bytes = cost.p95_microseconds, cost.size_bytes
        return f"{each.candidate.kind} {excess}"

    def _progress(self, scored: Sequence[ScoredCandidate]) -> Progress:
        metric = self.wanted.metric
        best = max(scored, key=lambda each: gain(each.mean, metric), default=None)
        return Progress(
            trialsDone=self.done,
            trialsTotal=len(self.trials) - 1,
            best=best and Best(kind=best.candidate.kind, metric=metric, value=best.mean),
        )

    def _report(self, winner: ScoredCandidate, order: Order, why: str) -> SearchReport:
        return SearchReport(
            task=self.problem.kind,
            metric=self.wanted.metric,
            order=order,
            trials=self.trials,
            chosen=winner.index,
            why=why,
            budget=self.budget.limits(),
        )
