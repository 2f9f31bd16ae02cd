"""Create RetrainJobs when a trigger fires; promote or discard finished ones."""

from dataclasses import dataclass, field
from datetime import datetime

from perennial_contracts.api.modeldeployment_status import Promotion
from perennial_contracts.api.retraining import (
    RETRAIN_ANNOTATION,
    Retraining,
    RetrainingReason,
    RetrainingStatus,
    Run,
)
from perennial_contracts.api.trigger import Trigger

from ...clock import to_text
from ...conditions import ConditionState, Event
from ...objects import Object
from ...specs import retrain_job
from ...world import World
from ..monitoring import MonitoringResult
from .active_run import (
    awaited_approval,
    recent,
    running_by_hand,
    running_state,
    update_records,
)
from .guards import Block, RetrainContext, first_blocking_guard
from .triggers import REQUEST_LIMIT, fired_trigger, seconds_to_schedule, with_schedule


@dataclass(frozen=True)
class RetrainingResult:
    """The next step of retraining."""

    status: RetrainingStatus | None
    condition: ConditionState | None
    """None if the spec has no retraining and there is no run."""
    job: Object | None = None
    """A RetrainJob to create."""
    promotion: Promotion | None = None
    """A challenger that replaces the served model with this decision."""
    events: list[Event] = field(default_factory=list)
    look_again: float | None = None
    """Seconds until the next reconciliation, if no event will start one."""


def decide(world: World, monitored: MonitoringResult | None, now: datetime) -> RetrainingResult:
    """Return the next step of retraining."""
    settings = world.spec.retraining
    before = world.status.retraining or RetrainingStatus(runs=[])
    if not settings and not world.runs and not before.runs:
        return RetrainingResult(None, None)
    runs, promotion, events = update_records(world, before.runs, now)
    status = before.model_copy(update={"runs": recent(runs, now)})
    if not settings:
        return RetrainingResult(status, running_by_hand(status.runs), None, promotion, events)

    status, invalid = with_schedule(settings, status, now)
    trigger = fired_trigger(world, settings, monitored, status, now)
    wait = seconds_to_schedule(settings, now) if not invalid else None
    running = next((run for run in status.runs if run.outcome == "Running"), None)
    if running:
        condition = running_state(running)
    elif invalid:
        condition = invalid
    elif not trigger:
        condition = awaited_approval(status.runs, world) or ConditionState(
            "False", RetrainingReason.NOT_NEEDED, "No trigger has fired."
        )
    else:
        context = RetrainContext(world, settings, status.runs, trigger, promotion is not None, now)
        block = first_blocking_guard(context)
        if not block:
            return _launch(world, settings, status, trigger, events, now)
        condition = _blocked(trigger, block)
        if block.until:
            left = max((block.until - now).total_seconds(), 1.0)
            wait = min(left, wait) if wait else left
    return RetrainingResult(status, condition, None, promotion, events, wait)


def _blocked(trigger: Trigger, block: Block) -> ConditionState:
    retry = f" The operator retries at {to_text(block.until)}." if block.until else ""
    message = f"Trigger {trigger.type} has fired, but no run starts: {block.message}{retry}"
    return ConditionState("False", block.reason, message)


def _launch(
    world: World,
    settings: Retraining,
    status: RetrainingStatus,
    trigger: Trigger,
    events: list[Event],
    now: datetime,
) -> RetrainingResult:
    attempt = sum(run.fingerprint == trigger.fingerprint for run in status.runs) + 1
    job = retrain_job.build(world, settings.template, trigger, attempt)
    run = Run(
        job=job["metadata"]["name"],
        trigger=trigger.type,
        fingerprint=trigger.fingerprint,
        started=to_text(now),
    )
    changes: dict[str, object] = {"runs": [run, *status.runs]}
    if trigger.type == "Manual":
        changes["retrainRequest"] = world.annotations[RETRAIN_ANNOTATION][:REQUEST_LIMIT]
    if trigger.type == "Schedule":
        changes["scheduledAt"] = to_text(now)
    started = Event("RetrainStarted", f"RetrainJob {run.job} started. {trigger.message}")
    return RetrainingResult(
        status.model_copy(update=changes), running_state(run), job, None, [*events, started]
    )
