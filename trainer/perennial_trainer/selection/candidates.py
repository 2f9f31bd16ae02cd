"""What a search tries: of all kinds, or near the champion that it begins with."""

from collections.abc import Callable
from dataclasses import replace

from perennial_contracts.api.search import ONLY_FOR, Candidate
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .champion import Champion
from .model_kinds import Proposal, kinds_for, propose, propose_near, usable
from .trials import Problem


def first(
    problem: Problem, champion: Champion | None, tell: Callable[[str], None]
) -> tuple[Problem, list[Proposal]]:
    """What is tried, and on which rows it is compared.

    Raises:
        StepError: BadPlan for a kind that cannot learn the task.
    """
    kinds = _kinds(problem)
    metric, most = problem.wanted.metric, problem.wanted.maxTrials
    if champion is not None and champion.kind not in kinds:
        tell(f"{champion.kind}, which serves, is none of the candidates: all is searched as usual")
        champion = None
    if champion is None:
        return problem, propose(kinds, metric, most)
    problem, begin = _begin(problem, champion, tell)
    return problem, propose_near(begin, kinds, metric, most)


def _kinds(problem: Problem) -> list[Candidate]:
    kind, asked = problem.kind, problem.wanted.candidates
    if asked is None:
        return usable(kinds_for(kind), problem.labels)
    strange = [name for name in asked if ONLY_FOR.get(name, kind) != kind]
    if strange:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"search.candidates: {strange[0]} is for {ONLY_FOR[strange[0]]}; expected some "
            f"of {', '.join(kinds_for(kind))} for search.task: {kind}",
        )
    return list(asked)


def _begin(
    problem: Problem, champion: Champion, tell: Callable[[str], None]
) -> tuple[Problem, list[Proposal]]:
    """The champion's settings: going on from its trees, and anew.

    It knows the rows that it has learnt from, so all are then compared on those that it has not.
    """
    anew = Proposal(champion.kind, champion.params)
    if champion.trees is None:
        return problem, [anew]
    unknown = replace(problem, fresh=champion.fresh)
    if problem.wanted.order == "TimeOrdered" and unknown.folds()[0]:
        return unknown, [replace(anew, trees=champion.trees), anew]
    tell("no rows in the order of time tell whether going on is any good: it is fitted anew")
    return problem, [anew]
