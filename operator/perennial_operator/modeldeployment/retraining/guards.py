"""Checks that block a new run. The first failing check is reported."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from perennial_contracts.api.duration import seconds
from perennial_contracts.api.retraining import Retraining, RetrainingReason, Run
from perennial_contracts.api.trigger import Trigger

from ...clock import from_text
from ...world import World
from .active_run import WEEK, awaited_approval

UNSUCCESSFUL = ("Rejected", "Failed")


@dataclass(frozen=True)
class Block:
    """The reason why no run starts now."""

    reason: str
    message: str
    until: datetime | None = None
    """Time at which it ends by itself."""


@dataclass(frozen=True)
class RetrainContext:
    """Everything that a guard may read."""

    world: World
    settings: Retraining
    runs: list[Run]
    trigger: Trigger
    promotes: bool
    """True if this very decision promotes a challenger."""
    now: datetime


def first_blocking_guard(context: RetrainContext) -> Block | None:
    """Return the first block; None if a run may start. Manual runs have fewer guards."""
    manual = context.trigger.type == "Manual"
    guards = _FOR_ALL_RUNS if manual else (*_FOR_ALL_RUNS, *_FOR_AUTOMATIC_RUNS)
    return next((block for guard in guards if (block := guard(context))), None)


def _rollout_in_progress(context: RetrainContext) -> Block | None:
    if not context.promotes and not context.world.status.candidate:
        return None
    return Block(RetrainingReason.ROLLOUT_IN_PROGRESS, "a rollout is in progress.")


def _awaits_approval(context: RetrainContext) -> Block | None:
    condition = awaited_approval(context.runs, context.world)
    return Block(condition.reason, condition.message) if condition else None


def _too_few_labels(context: RetrainContext) -> Block | None:
    minimum = context.settings.policy.minLabels
    monitoring = context.world.status.monitoring
    labels = monitoring.labels if monitoring else 0
    if context.trigger.type != "Drift" or labels >= minimum:
        return None
    return Block(
        RetrainingReason.TOO_FEW_LABELS,
        f"the current model has {labels:,} labels, and {minimum:,} are needed. Post labels to the "
        "feedback endpoint of the model, or lower spec.retraining.policy.minLabels.",
    )


def _too_soon(context: RetrainContext) -> Block | None:
    ended = [from_text(run.ended) for run in context.runs if run.ended]
    if not ended:
        return None
    unsuccessful = sum(
        run.fingerprint == context.trigger.fingerprint and run.outcome in UNSUCCESSFUL
        for run in context.runs
    )
    cooldown = context.settings.policy.cooldown
    until = max(ended) + timedelta(seconds=seconds(cooldown)) * 2 ** min(unsuccessful, 16)
    if until <= context.now:
        return None
    if unsuccessful:
        runs = "one run" if unsuccessful == 1 else f"{unsuccessful} runs"
        return Block(
            RetrainingReason.EVIDENCE_KNOWN,
            f"{runs} for the same evidence did not produce a better model. Each such run doubles "
            f"the cooldown of {cooldown} (spec.retraining.policy.cooldown).",
            until,
        )
    return Block(
        RetrainingReason.COOLDOWN,
        f"the last run ended less than {cooldown} ago (spec.retraining.policy.cooldown).",
        until,
    )


def _budget_spent(context: RetrainContext) -> Block | None:
    started = sorted(
        moment
        for run in context.runs
        if context.now - (moment := from_text(run.started)) < WEEK and run.trigger != "Manual"
    )
    limit = context.settings.policy.maxPerWeek
    if len(started) < limit:
        return None
    return Block(
        RetrainingReason.BUDGET_SPENT,
        f"{len(started)} runs started within seven days, and spec.retraining.policy.maxPerWeek is "
        f"{limit}.",
        started[-limit] + WEEK,
    )


_Guard = Callable[[RetrainContext], Block | None]
_FOR_ALL_RUNS: tuple[_Guard, ...] = (_rollout_in_progress,)
_FOR_AUTOMATIC_RUNS: tuple[_Guard, ...] = (
    _awaits_approval,
    _too_few_labels,
    _too_soon,
    _budget_spent,
)
