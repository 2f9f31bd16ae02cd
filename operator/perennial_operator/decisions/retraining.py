"""Whether a RetrainJob is to be made, and what becomes of those that have ended.

Triggers say that there is a reason, guards whether it is good enough now. Both are ordered lists of
small checks; the first guard that objects is the one that is told, with the time of the next look.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from perennial_contracts.duration import seconds
from perennial_contracts.modeldeployment import Promotion
from perennial_contracts.monitoring import DriftReason
from perennial_contracts.retraining import (
    PROMOTE_ANNOTATION,
    RETRAIN_ANNOTATION,
    Retraining,
    RetrainingReason,
    RetrainingStatus,
    Run,
    RunOutcome,
)
from perennial_contracts.retrainjob import SUCCEEDED, Lineage, Trigger

from ..children import retrain_job
from ..clock import from_text, to_text
from ..objects import Object
from ..revision import promotion_source
from ..world import LiveRun, World
from .monitoring import Watched
from .verdict import Event, Verdict

WEEK = timedelta(days=7)
REQUEST_LIMIT = 253
"""Characters of an annotation's value that count."""
KEPT = 20
"""Runs that are kept in the status, and all those of the last week."""
VAIN = ("Rejected", "Failed")


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


@dataclass(frozen=True)
class _Refusal:
    reason: str
    message: str
    until: datetime | None = None
    """When it will have gone by itself."""


def decide(world: World, watched: Watched | None, now: datetime) -> Retrained:
    """The next step of retraining."""
    settings = world.spec.retraining
    before = world.status.retraining or RetrainingStatus(runs=[])
    if not settings and not world.runs and not before.runs:
        return Retrained(None, None)
    runs, promotion, events = _settle(world, before.runs, now)
    status = before.model_copy(update={"runs": _kept(runs, now)})
    if not settings:
        return Retrained(status, _by_hand_only(status.runs), None, promotion, events)

    status, invalid = _count_schedule(settings, status, now)
    trigger = _trigger(world, settings, watched, status, now)
    wait = _next_occurrence(settings, status, now) if not invalid else None
    running = [run for run in status.runs if run.outcome == "Running"]
    if running:
        verdict = Verdict(
            "True", RetrainingReason.RUNNING, f"RetrainJob {running[0].job}: {running[0].trigger}."
        )
        return Retrained(status, verdict, None, promotion, events, wait)
    if invalid:
        return Retrained(status, invalid, None, promotion, events, wait)
    if not trigger:
        verdict = _waiting(status.runs, world) or Verdict(
            "False", RetrainingReason.NOT_NEEDED, "No trigger has fired."
        )
        return Retrained(status, verdict, None, promotion, events, wait)

    refusal = _refusal(world, settings, status, trigger, promotion, now)
    if refusal:
        until = f" It is looked at again at {to_text(refusal.until)}." if refusal.until else ""
        verdict = Verdict("False", refusal.reason, f"{trigger.type}: {refusal.message}{until}")
        if refusal.until:
            left = max((refusal.until - now).total_seconds(), 1.0)
            wait = min(left, wait) if wait else left
        return Retrained(status, verdict, None, promotion, events, wait)
    return _launch(world, settings, status, trigger, events, now)


# --- runs that there are ---


def _settle(
    world: World, recorded: list[Run], now: datetime
) -> tuple[list[Run], Promotion | None, list[Event]]:
    """The records brought up to date, and the challenger that is promoted by that, if any."""
    live = {run.name: run for run in world.runs}
    known = {record.job for record in recorded}
    records = [_record(run) for run in reversed(world.runs) if run.name not in known]
    records = sorted([*records, *recorded], key=lambda record: record.started, reverse=True)
    promotion: Promotion | None = None
    events: list[Event] = []
    settled = []
    for record in records:
        run = live.get(record.job)
        outcome = _outcome(world, record, run)
        if outcome == "Promoted" and record.outcome != "Promoted" and run:
            # One challenger takes the place; another one has beaten a model that is gone then.
            if promotion:
                outcome = "Superseded"
            else:
                promotion = _promote(world, run)
        if outcome != record.outcome:
            events.append(_told(record, outcome, run))
        ended = record.ended
        if outcome != "Running" and not ended:
            ended = (run.status.completionTime if run else None) or to_text(now)
        settled.append(record.model_copy(update={"outcome": outcome, "ended": ended}))
    return settled, promotion, events


def _record(run: LiveRun) -> Run:
    return Run(
        job=run.name,
        trigger=run.spec.trigger.type,
        fingerprint=run.spec.trigger.fingerprint,
        started=run.created,
    )


def _outcome(world: World, record: Run, run: LiveRun | None) -> RunOutcome:
    if record.outcome not in ("Running", "AwaitingApproval", "Suggested"):
        return record.outcome
    if not run:
        return "Failed" if record.outcome == "Running" else "Superseded"
    state = next((each for each in run.status.conditions if each.type == SUCCEEDED), None)
    if not state or state.status == "Unknown":
        return "Running"
    if state.status == "False":
        return "Failed"
    if run.status.decision != "Accepted" or not run.status.challenger:
        return "Rejected"
    stable, champion = world.status.stable, run.status.champion
    if not stable or not champion or champion.digest != stable.digest:
        return "Superseded"
    policy = world.spec.retraining.policy.promotion if world.spec.retraining else "Manual"
    if policy == "Automatic" or world.annotations.get(PROMOTE_ANNOTATION) == run.name:
        return "Promoted"
    return "AwaitingApproval" if policy == "Manual" else "Suggested"


def _promote(world: World, run: LiveRun) -> Promotion | None:
    challenger = run.status.challenger
    assert challenger is not None
    return Promotion(
        uri=challenger.uri,
        digest=challenger.digest,
        reason="Promoted",
        source=promotion_source(world.spec.model),
        lineage=Lineage(
            retrainJob=run.name,
            trigger=run.spec.trigger,
            data=run.status.data,
            comparisons=run.status.comparisons,
        ),
    )


def _told(record: Run, outcome: RunOutcome, run: LiveRun | None) -> Event:
    message = run.status.message if run else "The RetrainJob was deleted."
    warning = outcome == "Failed"
    return Event(f"Retrain{outcome}", f"RetrainJob {record.job}: {message}", warning)


def _kept(runs: list[Run], now: datetime) -> list[Run]:
    recent = [
        run
        for place, run in enumerate(runs)
        if place < KEPT or run.outcome == "Running" or now - from_text(run.started) < WEEK
    ]
    return recent[:50]


def _waiting(runs: list[Run], world: World) -> Verdict | None:
    """What is to be done by a person about a challenger that was accepted."""
    for run in runs:
        if run.outcome == "AwaitingApproval":
            return Verdict(
                "False",
                RetrainingReason.AWAITING_APPROVAL,
                f"RetrainJob {run.job} was accepted. To promote its challenger: kubectl annotate "
                f"mdep {world.name} {PROMOTE_ANNOTATION}={run.job} --overwrite",
            )
        if run.outcome == "Suggested":
            live = next((each for each in world.runs if each.name == run.job), None)
            challenger = live.status.challenger if live else None
            where = f"uri {challenger.uri}, digest {challenger.digest}" if challenger else "it"
            return Verdict(
                "False",
                RetrainingReason.SUGGESTED,
                f"RetrainJob {run.job} was accepted. To serve its challenger write into "
                f"spec.model: {where}",
            )
    return None


def _by_hand_only(runs: list[Run]) -> Verdict:
    running = next((run for run in runs if run.outcome == "Running"), None)
    if running:
        return Verdict("True", RetrainingReason.RUNNING, f"RetrainJob {running.job}, by hand.")
    return Verdict(
        "False", RetrainingReason.NOT_NEEDED, "spec.retraining is not set: only by hand."
    )


# --- reasons for another one ---


def _trigger(
    world: World,
    settings: Retraining,
    watched: Watched | None,
    status: RetrainingStatus,
    now: datetime,
) -> Trigger | None:
    """The strongest trigger that has fired."""
    stable = world.status.stable
    if not stable:
        return None
    when = settings.when if settings.when is not None else ["QualityDrop", "Drift"]
    done = {run.fingerprint for run in status.runs}
    request = world.annotations.get(RETRAIN_ANNOTATION, "")[:REQUEST_LIMIT]
    asked = _fingerprint("Manual", request)
    if request and request != status.retrainRequest and asked not in done:
        return Trigger(
            type="Manual",
            fingerprint=asked,
            message=f"The annotation {RETRAIN_ANNOTATION} asks for it: {request}",
        )
    if watched and "QualityDrop" in when and watched.quality.status == "True":
        return Trigger(
            type="QualityDrop",
            fingerprint=_fingerprint(stable.digest, "QualityDrop"),
            message=watched.quality.message,
        )
    drifted = watched and watched.drift.reason == DriftReason.INPUT_AND_PREDICTION_DRIFT
    if watched and "Drift" in when and drifted:
        return Trigger(
            type="Drift",
            fingerprint=_fingerprint(stable.digest, "Drift"),
            message=watched.drift.message,
        )
    if settings.schedule and status.scheduledAt:
        occurrence = _last_occurrence(settings.schedule, from_text(status.scheduledAt), now)
        text = to_text(occurrence) if occurrence else ""
        due = _fingerprint("Schedule", text)
        if occurrence and due not in done:
            return Trigger(
                type="Schedule",
                fingerprint=due,
                message=f"The schedule {settings.schedule} came round at {text}.",
            )
    return None


def _fingerprint(*evidence: str) -> str:
    """The same model with the same trouble is the same evidence, however often it is seen."""
    return hashlib.sha256("\n".join(evidence).encode()).hexdigest()[:16]


def _count_schedule(
    settings: Retraining, status: RetrainingStatus, now: datetime
) -> tuple[RetrainingStatus, Verdict | None]:
    """The status with a moment that the schedule counts from; a verdict where it is no schedule."""
    if not settings.schedule:
        return status.model_copy(update={"scheduledAt": None}), None
    try:
        next(CronSim(settings.schedule, now))
    except (CronSimError, StopIteration):
        return status, Verdict(
            "False",
            RetrainingReason.INVALID_SCHEDULE,
            "spec.retraining.schedule: expected a cron line of five fields such as 0 3 * * 1, got "
            f"{settings.schedule!r}.",
        )
    return status.model_copy(update={"scheduledAt": status.scheduledAt or to_text(now)}), None


def _last_occurrence(schedule: str, since: datetime, now: datetime) -> datetime | None:
    """The latest time of the schedule after ``since`` and not after ``now``.

    Looked for backwards: a cluster that was off for a year has missed many, and one is enough.
    """
    latest = next(CronSim(schedule, now + timedelta(seconds=1), reverse=True), None)
    return latest if latest and latest > since else None


def _next_occurrence(settings: Retraining, status: RetrainingStatus, now: datetime) -> float | None:
    if not settings.schedule:
        return None
    return float((next(CronSim(settings.schedule, now)) - now).total_seconds())


# --- reasons against it ---


@dataclass(frozen=True)
class _Case:
    """All that a guard may look at."""

    world: World
    settings: Retraining
    runs: list[Run]
    trigger: Trigger
    promotion: Promotion | None
    now: datetime


def _refusal(
    world: World,
    settings: Retraining,
    status: RetrainingStatus,
    trigger: Trigger,
    promotion: Promotion | None,
    now: datetime,
) -> _Refusal | None:
    case = _Case(world, settings, status.runs, trigger, promotion, now)
    guards = _FOR_EVERYBODY if trigger.type == "Manual" else (*_FOR_EVERYBODY, *_FOR_MACHINES)
    return next((found for guard in guards if (found := guard(case))), None)


def _rollout_in_progress(case: _Case) -> _Refusal | None:
    if not case.promotion and not case.world.status.candidate:
        return None
    return _Refusal(
        RetrainingReason.ROLLOUT_IN_PROGRESS, "another model is on its way to be served."
    )


def _awaits_a_person(case: _Case) -> _Refusal | None:
    waiting = _waiting(case.runs, case.world)
    return _Refusal(waiting.reason, waiting.message) if waiting else None


def _too_few_labels(case: _Case) -> _Refusal | None:
    least = case.settings.policy.minLabels
    monitoring = case.world.status.monitoring
    labels = monitoring.labels if monitoring else 0
    if case.trigger.type != "Drift" or labels >= least:
        return None
    return _Refusal(
        RetrainingReason.TOO_FEW_LABELS,
        f"{labels:,} labels have come back for the present model; {least:,} are needed. Post them "
        "to the model's feedback, or lower spec.retraining.policy.minLabels.",
    )


def _too_soon(case: _Case) -> _Refusal | None:
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
        return _Refusal(
            RetrainingReason.EVIDENCE_KNOWN,
            f"the same evidence led to {times} in vain, so the cooldown of {cooldown} is doubled "
            "for each.",
            until,
        )
    return _Refusal(
        RetrainingReason.COOLDOWN, f"the last run ended less than {cooldown} ago.", until
    )


def _budget_spent(case: _Case) -> _Refusal | None:
    recent = sorted(
        moment
        for run in case.runs
        if case.now - (moment := from_text(run.started)) < WEEK and run.trigger != "Manual"
    )
    most = case.settings.policy.maxPerWeek
    if len(recent) < most:
        return None
    return _Refusal(
        RetrainingReason.BUDGET_SPENT,
        f"{len(recent)} runs were made within seven days; spec.retraining.policy.maxPerWeek is "
        f"{most}.",
        recent[-most] + WEEK,
    )


_Guard = Callable[[_Case], _Refusal | None]
_FOR_EVERYBODY: tuple[_Guard, ...] = (_rollout_in_progress,)
_FOR_MACHINES: tuple[_Guard, ...] = (
    _awaits_a_person,
    _too_few_labels,
    _too_soon,
    _budget_spent,
)


# --- the next one ---


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
