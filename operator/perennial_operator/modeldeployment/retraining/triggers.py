"""Reasons for a run, the strongest first, and the evidence by which each is known again."""

import hashlib
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from perennial_contracts.api.monitoring import DriftReason
from perennial_contracts.api.retraining import (
    RETRAIN_ANNOTATION,
    Retraining,
    RetrainingReason,
    RetrainingStatus,
)
from perennial_contracts.api.trigger import Trigger

from ...clock import from_text, to_text
from ...conditions import Verdict
from ...world import World
from ..monitoring import Watched

REQUEST_LIMIT = 253
"""Characters of an annotation's value that count."""


def trigger_of(
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


def count_schedule(
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


def next_occurrence(settings: Retraining, now: datetime) -> float | None:
    """Seconds until the schedule comes round."""
    if not settings.schedule:
        return None
    return float((next(CronSim(settings.schedule, now)) - now).total_seconds())
