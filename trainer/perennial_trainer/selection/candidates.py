"""The candidates of a search: of all kinds, or near the champion."""

from collections.abc import Callable
from dataclasses import replace

from perennial_contracts.api.search import ONLY_FOR, Candidate
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .model_kinds import SearchCandidate, kinds_for, list_candidates, list_candidates_near, usable
from .trials import SearchProblem
from .warm_start import WarmStart


def choose_candidates(
    problem: SearchProblem, warm_start: WarmStart | None, log: Callable[[str], None]
) -> tuple[SearchProblem, list[SearchCandidate]]:
    """Return the candidates, and the problem with the rows to compare them on.

    Raises:
        StepError: BadPlan for a kind that cannot learn the task.
    """
    kinds = _kinds(problem)
    metric, most = problem.search.metric, problem.search.maxTrials
    if warm_start is not None and warm_start.kind not in kinds:
        log(
            f"{warm_start.kind}, the kind of the served model, is not one of the candidates: the "
            "search starts from scratch"
        )
        warm_start = None
    if warm_start is None:
        return problem, list_candidates(kinds, metric, most)
    problem, start = _start(problem, warm_start, log)
    return problem, list_candidates_near(start, kinds, metric, most)


def _kinds(problem: SearchProblem) -> list[Candidate]:
    task, wanted = problem.kind, problem.search.candidates
    if wanted is None:
        return usable(kinds_for(task), problem.labels)
    wrong = [kind for kind in wanted if ONLY_FOR.get(kind, task) != task]
    if wrong:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"{wrong[0]} is for {ONLY_FOR[wrong[0]]}; expected some of "
            f"{', '.join(kinds_for(task))} for search.task: {task}",
            field="search.candidates",
        )
    return list(wanted)


def _start(
    problem: SearchProblem, warm_start: WarmStart, log: Callable[[str], None]
) -> tuple[SearchProblem, list[SearchCandidate]]:
    """Return the champion's settings, once with its trees and once from scratch.

    The trees have learned from most rows, so all candidates are compared on the others.
    """
    from_scratch = SearchCandidate(warm_start.kind, warm_start.params)
    if warm_start.trees is None:
        return problem, [from_scratch]
    unknown = replace(problem, fresh=warm_start.fresh)
    if problem.search.order == "TimeOrdered" and unknown.folds()[0]:
        return unknown, [replace(from_scratch, trees=warm_start.trees), from_scratch]
    log("no rows in the order of time can judge the champion's trees: training starts from scratch")
    return problem, [from_scratch]
