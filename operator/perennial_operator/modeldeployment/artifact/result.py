"""The model to serve, or the state of the Job that resolves or prepares it."""

from dataclasses import dataclass
from datetime import datetime

from perennial_contracts.api.conditions import ConditionType, ResolvedReason
from perennial_contracts.api.modeldeployment import ModelSource
from perennial_contracts.api.modeldeployment_status import Detection, Promotion, Resolution

from ...clock import from_text, seconds_since
from ...diagnosis import Diagnosis
from ...objects import Object
from ...world import World

FIRST_RETRY = 15.0
LAST_RETRY = 600.0
"""Seconds between attempts that fail. Each wait is as long as the failure has lasted."""
_UNDER_WAY = (ResolvedReason.RESOLVING, ResolvedReason.PACKAGING)


@dataclass(frozen=True)
class ArtifactResult:
    """The digest to serve, or the reason why there is none yet."""

    digest: str | None
    resolution: Resolution | None
    """Resolution to record."""
    reason: str
    message: str
    job: Object | None = None
    """The Job that resolves or prepares the model."""
    promoted: Promotion | None = None
    """The model that is served in place of spec.model."""
    detected: Detection | None = None
    """Detected format to record."""
    look_again: float | None = None
    """Seconds until the next reconciliation, if no event will start one."""
    final: bool = False
    """True if only a change of the spec can help."""
    bundle: ModelSource | None = None
    """The bundle that was prepared from spec.model."""

    def source(self, spec: ModelSource) -> ModelSource:
        """Return the model to serve: spec.model, its bundle, or the promoted model."""
        if self.promoted:
            changes = {"uri": self.promoted.uri, "digest": self.promoted.digest}
            return spec.model_copy(update=changes)
        return self.bundle or spec

    @property
    def failed(self) -> bool:
        """True if there is no digest and no attempt is under way."""
        return self.digest is None and self.reason not in _UNDER_WAY


def job_of(world: World, label: str, value: str) -> Object | None:
    """Return the Job with a label."""
    jobs = (job for job in world.jobs() if job["metadata"]["labels"].get(label) == value)
    return next(jobs, None)


def recorded_failure(world: World) -> Diagnosis | None:
    """Return the failure that the condition ModelResolved reports for this very spec.

    It is the latest known failure while the next attempt runs, or once the pods are gone. The
    reason is for decisions; the message is passed on as it is.
    """
    for condition in world.status.conditions:
        if (
            condition.type == ConditionType.MODEL_RESOLVED
            and condition.status == "False"
            and condition.observedGeneration == world.generation
        ):
            return Diagnosis(condition.reason, condition.message)
    return None


def seconds_to_retry(world: World, ended: str, now: datetime) -> float:
    """Return the seconds until the next attempt, after one that failed at ``ended``."""
    return _delay(world, ended) - seconds_since(ended, now)


def _delay(world: World, ended: str) -> float:
    """Return the seconds between two attempts: as long as the model has been missing."""
    for condition in world.status.conditions:
        if condition.type == ConditionType.MODEL_RESOLVED and condition.status != "True":
            lasted = seconds_since(condition.lastTransitionTime, from_text(ended))
            return min(max(lasted, FIRST_RETRY), LAST_RETRY)
    return FIRST_RETRY
