"""Triggers of a run, the strongest first, and the fingerprints of their evidence."""

import hashlib
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from perennial_contracts.api.retraining import (
    RETRAIN_ANNOTATION,
    Retraining,
    RetrainingReason,
    RetrainingStatus,
)
from perennial_contracts.api.trigger import Trigger

from ...clock import from_text, to_text
from ...conditions import ConditionState
from ...world import World
from ..monitoring import MonitoringResult

REQUEST_LIMIT = 253
"""Length to which the value of the annotation is cut."""


def fired_trigger(
    world: World,
    settings: Retraining,
    monitored: MonitoringResult | None,
    status: RetrainingStatus,
    now: datetime,
) -> Trigger | None:
    """Return the strongest trigger that has fired."""
    stable = world.status.stable
    if not stable:
        return None
    when = settings.when if settings.when is not None else ["QualityDrop", "Drift"]
    handled = {run.fingerprint for run in status.runs}
    request = world.annotations.get(RETRAIN_ANNOTATION, "")[:REQUEST_LIMIT]
    fingerprint = _fingerprint("Manual", request)
    if request and request != status.retrainRequest and fingerprint not in handled:
        return Trigger(
            type="Manual",
            fingerprint=fingerprint,
            message=f"The annotation {RETRAIN_ANNOTATION} was set to: {request}",
        )
    if monitored and monitored.dropped and "QualityDrop" in when:
        return Trigger(
            type="QualityDrop",
            fingerprint=_fingerprint(stable.digest, "QualityDrop"),
            message=monitored.quality.message,
        )
    if monitored and monitored.drifted and "Drift" in when:
        return Trigger(
            type="Drift",
            fingerprint=_fingerprint(stable.digest, "Drift"),
            message=monitored.drift.message,
        )
    if settings.schedule and status.scheduledAt:
        occurrence = _last_occurrence(settings.schedule, from_text(status.scheduledAt), now)
        time = to_text(occurrence) if occurrence else ""
        fingerprint = _fingerprint("Schedule", time)
        if occurrence and fingerprint not in handled:
            return Trigger(
                type="Schedule",
                fingerprint=fingerprint,
                message=f"The schedule {settings.schedule} was due at {time}.",
            )
    return None


def _fingerprint(*evidence: str) -> str:
    """Return the hash of evidence: the same for the same problem of the same model."""
    return hashlib.sha256("\n".join(evidence).encode()).hexdigest()[:16]


def with_schedule(
    settings: Retraining, status: RetrainingStatus, now: datetime
) -> tuple[RetrainingStatus, ConditionState | None]:
    """Return the status with the time from which the schedule counts.

    The second element is the condition for a schedule that cannot be parsed.
    """
    if not settings.schedule:
        return status.model_copy(update={"scheduledAt": None}), None
    try:
        next(CronSim(settings.schedule, now))
    except (CronSimError, StopIteration):
        return status, ConditionState(
            "False",
            RetrainingReason.INVALID_SCHEDULE,
            "Invalid spec.retraining.schedule: expected a cron line of five fields such as "
            f"0 3 * * 1, got {settings.schedule!r}.",
        )
    return status.model_copy(update={"scheduledAt": status.scheduledAt or to_text(now)}), None


def _last_occurrence(schedule: str, since: datetime, now: datetime) -> datetime | None:
    """Return the latest time of the schedule after ``since`` and not after ``now``.

    The search goes backwards: a cluster that was off for a year has missed many times, and one of
    them is enough.
    """
    latest = next(CronSim(schedule, now + timedelta(seconds=1), reverse=True), None)
    return latest if latest and latest > since else None


def seconds_to_schedule(settings: Retraining, now: datetime) -> float | None:
    """Return the seconds until the schedule is due; None if there is no schedule."""
    if not settings.schedule:
        return None
    return float((next(CronSim(settings.schedule, now)) - now).total_seconds())
