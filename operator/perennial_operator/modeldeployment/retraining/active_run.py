"""The records of runs, brought up to date, and what an accepted one leads to."""

from datetime import datetime, timedelta

from perennial_contracts.api.modeldeployment_status import Promotion
from perennial_contracts.api.retraining import PROMOTE_ANNOTATION, RetrainingReason, Run, RunOutcome
from perennial_contracts.api.retrainjob_status import SUCCEEDED, Lineage

from ...clock import from_text, to_text
from ...conditions import Event, Verdict
from ...revision import promotion_source
from ...world import LiveRun, World

WEEK = timedelta(days=7)
KEPT = 20
"""Runs that are kept in the status, and all those of the last week."""


def settle(
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


def kept(runs: list[Run], now: datetime) -> list[Run]:
    """The latest of them, for the status."""
    recent = [
        run
        for place, run in enumerate(runs)
        if place < KEPT or run.outcome == "Running" or now - from_text(run.started) < WEEK
    ]
    return recent[:50]


def waiting(runs: list[Run], world: World) -> Verdict | None:
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


def by_hand_only(runs: list[Run]) -> Verdict:
    """What is said where the spec asks for no retraining."""
    running = next((run for run in runs if run.outcome == "Running"), None)
    if running:
        return Verdict("True", RetrainingReason.RUNNING, f"RetrainJob {running.job}, by hand.")
    return Verdict(
        "False", RetrainingReason.NOT_NEEDED, "spec.retraining is not set: only by hand."
    )
