"""Reasons against a run just now. The first guard that objects is the one that is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from perennial_contracts.api.duration import seconds
from perennial_contracts.api.retraining import Retraining, RetrainingReason, Run
from perennial_contracts.api.trigger import Trigger

from ...clock import from_text
from ...world import World
from .active_run import WEEK, waiting

VAIN = ("Rejected", "Failed")


@dataclass(frozen=True)
class Refusal:
    """Why not, and when it is looked at again."""

    reason: str
    message: str
    until: datetime | None = None
    """When it will have gone by itself."""


@dataclass(frozen=True)
class Case:
    """All that a guard may look at."""

    world: World
    settings: Retraining
    runs: list[Run]
    trigger: Trigger
    promotes: bool
    """Whether a challenger is promoted with this very decision."""
    now: datetime


def refuse(case: Case) -> Refusal | None:
    """What speaks against it, if anything does. A person is stopped by less than a machine."""
    guards = _FOR_EVERYBODY if case.trigger.type == "Manual" else (*_FOR_EVERYBODY, *_FOR_MACHINES)
    return next((found for guard in guards if (found := guard(case))), None)


def _rollout_in_progress(case: Case) -> Refusal | None:
    if not case.promotes and not case.world.status.candidate:
        return None
    return Refusal(
        RetrainingReason.ROLLOUT_IN_PROGRESS, "another model is on its way to be served."
    )


def _awaits_a_person(case: Case) -> Refusal | None:
    verdict = waiting(case.runs, case.world)
    return Refusal(verdict.reason, verdict.message) if verdict else None


def _too_few_labels(case: Case) -> Refusal | None:
    least = case.settings.policy.minLabels
    monitoring = case.world.status.monitoring
    labels = monitoring.labels if monitoring else 0
    if case.trigger.type != "Drift" or labels >= least:
        return None
    return Refusal(
        RetrainingReason.TOO_FEW_LABELS,
        f"{labels:,} labels have come back for the present model; {least:,} are needed. Post them "
        "to the model's feedback, or lower spec.retraining.policy.minLabels.",
    )


def _too_soon(case: Case) -> Refusal | None:
    ended = [from_text(run.ended) for run in case.runs if run.ended]
    if not ended:
        return None
    vain = sum(
        run.fingerprint == case.trigger.fingerprint and run.outcome in VAIN for run in case.runs
    )
    cooldown = case.settings.policy.cooldown
    until = max(ended) + timedelta(seconds=seconds(cooldown)) * 2 ** min(vain, 16)
    if until <= case.now:
        return None
    if vain:
        times = "one run" if vain == 1 else f"{vain} runs"
        return Refusal(
            RetrainingReason.EVIDENCE_KNOWN,
            f"the same evidence led to {times} in vain, so the cooldown of {cooldown} is doubled "
            "for each.",
            until,
        )
    return Refusal(
        RetrainingReason.COOLDOWN, f"the last run ended less than {cooldown} ago.", until
    )


def _budget_spent(case: Case) -> Refusal | None:
    recent = sorted(
        moment
        for run in case.runs
        if case.now - (moment := from_text(run.started)) < WEEK and run.trigger != "Manual"
    )
    most = case.settings.policy.maxPerWeek
    if len(recent) < most:
        return None
    return Refusal(
        RetrainingReason.BUDGET_SPENT,
        f"{len(recent)} runs were made within seven days; spec.retraining.policy.maxPerWeek is "
        f"{most}.",
        recent[-most] + WEEK,
    )


_Guard = Callable[[Case], Refusal | None]
_FOR_EVERYBODY: tuple[_Guard, ...] = (_rollout_in_progress,)
_FOR_MACHINES: tuple[_Guard, ...] = (
    _awaits_a_person,
    _too_few_labels,
    _too_soon,
    _budget_spent,
)
