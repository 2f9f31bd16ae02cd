"""Whether a RetrainJob is to be made, and what becomes of those that have ended.

Triggers say that there is a reason, guards whether it is good enough now.
"""

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
from ...conditions import Event, Verdict
from ...objects import Object
from ...specs import retrain_job
from ...world import World
from ..monitoring import Watched
from .active_run import by_hand_only, kept, settle, waiting
from .guards import Case, refuse
from .triggers import REQUEST_LIMIT, count_schedule, next_occurrence, trigger_of


@dataclass(frozen=True)
class Retrained:
    """What is to be made of triggers and runs."""

    status: RetrainingStatus | None
    verdict: Verdict | None
    """None where the spec asks for no retraining and there is no run."""
    job: Object | None = None
    """A RetrainJob to be made."""
    promotion: Promotion | None = None
    """A challenger that takes the model's place with this decision."""
    events: list[Event] = field(default_factory=list)
    look_again: float | None = None


def decide(world: World, watched: Watched | None, now: datetime) -> Retrained:
    """The next step of retraining."""
    settings = world.spec.retraining
    before = world.status.retraining or RetrainingStatus(runs=[])
    if not settings and not world.runs and not before.runs:
        return Retrained(None, None)
    runs, promotion, events = settle(world, before.runs, now)
    status = before.model_copy(update={"runs": kept(runs, now)})
    if not settings:
        return Retrained(status, by_hand_only(status.runs), None, promotion, events)

    status, invalid = count_schedule(settings, status, now)
    trigger = trigger_of(world, settings, watched, status, now)
    wait = next_occurrence(settings, now) if not invalid else None
    running = [run for run in status.runs if run.outcome == "Running"]
    if running:
        verdict = Verdict(
            "True", RetrainingReason.RUNNING, f"RetrainJob {running[0].job}: {running[0].trigger}."
        )
        return Retrained(status, verdict, None, promotion, events, wait)
    if invalid:
        return Retrained(status, invalid, None, promotion, events, wait)
    if not trigger:
        verdict = waiting(status.runs, world) or Verdict(
            "False", RetrainingReason.NOT_NEEDED, "No trigger has fired."
        )
        return Retrained(status, verdict, None, promotion, events, wait)

    refusal = refuse(Case(world, settings, status.runs, trigger, promotion is not None, now))
    if refusal:
        until = f" It is looked at again at {to_text(refusal.until)}." if refusal.until else ""
        verdict = Verdict("False", refusal.reason, f"{trigger.type}: {refusal.message}{until}")
        if refusal.until:
            left = max((refusal.until - now).total_seconds(), 1.0)
            wait = min(left, wait) if wait else left
        return Retrained(status, verdict, None, promotion, events, wait)
    return _launch(world, settings, status, trigger, events, now)


def _launch(
    world: World,
    settings: Retraining,
    status: RetrainingStatus,
    trigger: Trigger,
    events: list[Event],
    now: datetime,
) -> Retrained:
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
    return Retrained(
        status.model_copy(update=changes),
        Verdict("True", RetrainingReason.RUNNING, f"RetrainJob {run.job}: {trigger.type}."),
        job,
        None,
        [*events, Event("RetrainStarted", f"RetrainJob {run.job}: {trigger.message}")],
        None,
    )
