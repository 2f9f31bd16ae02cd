"""Update the records of runs, and promote or discard their challengers."""

from datetime import datetime, timedelta

from perennial_contracts.api.modeldeployment_status import Promotion
from perennial_contracts.api.retraining import PROMOTE_ANNOTATION, RetrainingReason, Run, RunOutcome
from perennial_contracts.api.retrainjob_status import SUCCEEDED, Challenger, Lineage

from ...clock import from_text, to_text
from ...conditions import ConditionState, Event
from ...revision import promotion_source
from ...world import LiveRun, World

WEEK = timedelta(days=7)
KEPT = 20
"""Runs that the status keeps, in addition to all runs of the last week."""
KEPT_AT_MOST = 50


def update_records(
    world: World, recorded: list[Run], now: datetime
) -> tuple[list[Run], Promotion | None, list[Event]]:
    """Return the updated records, the challenger to promote and events of changes."""
    live = {run.name: run for run in world.runs}
    known = {record.job for record in recorded}
    records = [_record(run) for run in reversed(world.runs) if run.name not in known]
    records = sorted([*records, *recorded], key=lambda record: record.started, reverse=True)
    promotion: Promotion | None = None
    events: list[Event] = []
    updated = []
    for record in records:
        run = live.get(record.job)
        outcome = _outcome(world, record, run)
        challenger = run.status.challenger if run else None
        if outcome == "Promoted" and record.outcome != "Promoted" and run and challenger:
            # One challenger is promoted; a second one was compared with a model that is replaced.
            if promotion:
                outcome = "Superseded"
            else:
                promotion = _promotion(world, run, challenger)
        if outcome != record.outcome:
            events.append(_event(record, outcome, run))
        ended = record.ended
        if outcome != "Running" and not ended:
            ended = (run.status.completionTime if run else None) or to_text(now)
        updated.append(record.model_copy(update={"outcome": outcome, "ended": ended}))
    return updated, promotion, events


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


def _promotion(world: World, run: LiveRun, challenger: Challenger) -> Promotion:
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


def _event(record: Run, outcome: RunOutcome, run: LiveRun | None) -> Event:
    message = run.status.message if run else "The RetrainJob was deleted."
    warning = outcome == "Failed"
    return Event(f"Retrain{outcome}", f"RetrainJob {record.job}: {message}", warning)


def recent(runs: list[Run], now: datetime) -> list[Run]:
    """Return the runs that the status keeps, latest first."""
    kept = [
        run
        for index, run in enumerate(runs)
        if index < KEPT or run.outcome == "Running" or now - from_text(run.started) < WEEK
    ]
    return kept[:KEPT_AT_MOST]


def awaited_approval(runs: list[Run], world: World) -> ConditionState | None:
    """Return the condition of a challenger that waits for a person to promote it."""
    for run in runs:
        if run.outcome == "AwaitingApproval":
            return ConditionState(
                "False",
                RetrainingReason.AWAITING_APPROVAL,
                f"The challenger of RetrainJob {run.job} was accepted. To promote it, run: kubectl "
                f"annotate mdep {world.name} {PROMOTE_ANNOTATION}={run.job} --overwrite",
            )
        if run.outcome == "Suggested":
            live = next((each for each in world.runs if each.name == run.job), None)
            challenger = live.status.challenger if live else None
            fields = (
                f"spec.model.uri to {challenger.uri} and spec.model.digest to {challenger.digest}"
                if challenger
                else "spec.model to it"
            )
            return ConditionState(
                "False",
                RetrainingReason.SUGGESTED,
                f"The challenger of RetrainJob {run.job} was accepted. To serve it, set {fields}.",
            )
    return None


def running_state(run: Run) -> ConditionState:
    """Return the condition while a run is in progress."""
    message = f"RetrainJob {run.job} is running; trigger: {run.trigger}."
    return ConditionState("True", RetrainingReason.RUNNING, message)


def running_by_hand(runs: list[Run]) -> ConditionState:
    """Return the condition of a model without spec.retraining, which may have runs."""
    running = next((run for run in runs if run.outcome == "Running"), None)
    if running:
        return running_state(running)
    message = "spec.retraining is not set, so only RetrainJobs created by hand run."
    return ConditionState("False", RetrainingReason.NOT_NEEDED, message)
