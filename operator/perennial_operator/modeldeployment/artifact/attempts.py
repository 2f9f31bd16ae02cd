"""Jobs that look for a model's bytes or make them: how they ended, when the next one is due."""

from datetime import datetime

from perennial_contracts.api.conditions import ConditionType

from ...clock import from_text, seconds_since
from ...diagnosis import Diagnosis
from ...objects import Object
from ...world import World

FIRST_RETRY = 15.0
LAST_RETRY = 600.0
"""Seconds between attempts that fail. Each wait is as long as the failure has lasted."""


def job_of(world: World, label: str, value: str) -> Object | None:
    """The Job that carries a label."""
    jobs = (job for job in world.jobs() if job["metadata"]["labels"].get(label) == value)
    return next(jobs, None)


def last_failure(world: World) -> Diagnosis | None:
    """What the last attempt for this very spec failed with."""
    for condition in world.status.conditions:
        if (
            condition.type == ConditionType.MODEL_RESOLVED
            and condition.status == "False"
            and condition.observedGeneration == world.generation
        ):
            return Diagnosis(condition.reason, condition.message)
    return None


def seconds_left(world: World, ended: str, now: datetime) -> float:
    """Seconds until the next attempt after one that failed."""
    return _delay(world, ended) - seconds_since(ended, now)


def _delay(world: World, ended: str) -> float:
    """Seconds from a failure to the next attempt: as long as the model had been missing by then."""
    for condition in world.status.conditions:
        if condition.type == ConditionType.MODEL_RESOLVED and condition.status != "True":
            lasted = seconds_since(condition.lastTransitionTime, from_text(ended))
            return min(max(lasted, FIRST_RETRY), LAST_RETRY)
    return FIRST_RETRY


def ending_of(job: Object) -> tuple[str, str] | None:
    """When the Job ended for good, well or badly, and the reason that its condition gives."""
    for condition in job.get("status", {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return condition["lastTransitionTime"], condition.get("reason", "")
    return None
