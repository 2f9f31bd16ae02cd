"""What the contest comes to."""

from collections.abc import Container
from dataclasses import dataclass

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from . import gate
from .compare import Gain, compare
from .held_out import Rows
from .scores import values
from .setup import Contest
from .task import Answers


@dataclass(frozen=True)
class Judgement:
    """The verdict, with what it rests on."""

    verdict: gate.Verdict
    gains: list[Gain]
    """Of the challenger over the champion, the gate's metric first; none without a champion."""
    answers: Answers
    """The challenger's, to the recent rows."""
    before: Answers | None
    """The champion's, to the same rows; None without one."""
    scores: dict[str, float]
    """Of these."""


def decide(contest: Contest) -> Judgement:
    """Compares the two, or asks a first model for its scores alone.

    Raises:
        StepError: UnsupportedModel or WrongSignature, where one of them refuses the rows; OneClass,
            where the gate's metric is not defined on them.
    """
    plan, recent, wanted = contest.plan, contest.recent, contest.plan.gate.metric
    before = contest.champion_says(recent) if contest.champion else None
    answers = contest.challenger_says(recent)
    gains = _gains(contest, before, answers) if before else []
    scores = values(contest.task, recent.truth, answers)
    _check_defined(wanted, scores, recent)
    verdict = (
        gate.judge(plan.gate, gains, captured=contest.summary.captured > 0)
        if contest.champion
        else gate.judge_first(plan.gate, wanted, scores[wanted], len(recent.truth))
    )
    return Judgement(verdict, gains, answers, before, scores)


def _gains(contest: Contest, before: Answers, after: Answers) -> list[Gain]:
    """The gains on all rows; ``before`` and ``after`` are the answers to the recent ones."""
    plan = contest.plan
    said = [(contest.recent, before, after)]
    if rows := contest.reference:
        said.append((rows, contest.champion_says(rows), contest.challenger_says(rows)))
    gains: list[Gain] = []
    for rows, champion, challenger in said:
        on_these = compare(
            contest.task, rows.truth, champion, challenger, rows.on, plan.search.seed
        )
        _check_defined(plan.gate.metric, {gain.metric for gain in on_these}, rows)
        gains += on_these
    return sorted(gains, key=lambda gain: gain.metric != plan.gate.metric)


def _check_defined(metric: MetricName, defined: Container[str], rows: Rows) -> None:
    """A metric that held-out rows do not define decides nothing."""
    if metric in defined:
        return
    why = f"whose labels are all {rows.truth[0]}"
    if rows.truth.dtype.kind == "f":
        why = "which have one and the same number, or on which the champion never errs"
    raise StepError(
        TrainingFailure.ONE_CLASS,
        f"gate.metric: {metric} is not defined on the {len(rows.truth):,} rows of {rows.on}, {why}",
    )
