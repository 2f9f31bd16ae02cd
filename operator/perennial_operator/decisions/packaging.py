"""Which bytes the spec means: pinned, recorded before, or still to be looked up."""

from dataclasses import dataclass
from datetime import datetime

from perennial_contracts.modeldeployment import (
    ConditionType,
    ModelSource,
    Promotion,
    Resolution,
    ResolvedReason,
)
from perennial_contracts.outcome import LoadFailure, Outcome

from ..clock import from_text, seconds_since
from ..names import RESOLVER_LABEL
from ..objects import Object
from ..revision import promotion_source, source_name
from ..world import World
from .diagnosis import Diagnosis, diagnose

FIRST_RETRY = 15.0
LAST_RETRY = 600.0
"""Seconds between lookups that fail. Each wait is as long as the failure has lasted."""


@dataclass(frozen=True)
class Packaging:
    """The digest, or how far its lookup is."""

    digest: str | None
    resolution: Resolution | None
    """What is to be recorded."""
    reason: str
    message: str
    wants_job: bool = False
    promoted: Promotion | None = None
    """What is served in place of spec.model."""
    look_again: float | None = None
    """Seconds until the next look, where no event will bring it."""

    def model(self, spec: ModelSource) -> ModelSource:
        """The source that is served: spec.model, or what was promoted in its place."""
        if not self.promoted:
            return spec
        place = {"uri": self.promoted.uri, "digest": self.promoted.digest}
        return spec.model_copy(update=place)

    @property
    def failed(self) -> bool:
        return self.digest is None and self.reason != ResolvedReason.RESOLVING


def decide(world: World, now: datetime, promotion: Promotion | None = None) -> Packaging:
    """The digest that is to be served, or the lookup that is to find it.

    ``promotion`` is what another decision has just put in place of spec.model.
    """
    model = world.spec.model
    promoted = promotion or world.status.promoted
    if promoted and promoted.source == promotion_source(model):
        return _promoted(promoted, world.status.resolution)
    if model.digest:
        return Packaging(
            model.digest, None, ResolvedReason.PINNED, f"spec.model.digest says {model.digest}."
        )

    source = source_name(model)
    recorded = world.status.resolution
    if recorded and recorded.source == source:
        return _found(recorded)

    pods = world.pods_of(RESOLVER_LABEL, source)
    for pod in pods:
        if digest := _digest_of(pod):
            return _found(Resolution(source=source, digest=digest))
    return _look_up(world, pods, now)


def _promoted(promoted: Promotion, resolution: Resolution | None) -> Packaging:
    run = promoted.lineage.retrainJob if promoted.lineage else ""
    message = f"RetrainJob {run} made {promoted.digest}"
    if promoted.reason == "RolledBack":
        message = f"Rolled back to {promoted.digest}"
    return Packaging(
        promoted.digest,
        resolution,
        ResolvedReason(promoted.reason),
        f"{message}; it is served until spec.model changes.",
        promoted=promoted,
    )


def _found(resolution: Resolution) -> Packaging:
    return Packaging(
        resolution.digest,
        resolution,
        ResolvedReason.RESOLVED,
        f"Found {resolution.digest}; it is held to until spec.model changes.",
    )


def _look_up(world: World, pods: list[Object], now: datetime) -> Packaging:
    source = source_name(world.spec.model)
    job = next(
        (job for job in world.jobs() if job["metadata"]["labels"].get(RESOLVER_LABEL) == source),
        None,
    )
    found = diagnose(pods)
    ended = _ended(job) if job else None
    if not ended:
        # While it is looked up again the last failure stands: it is still what is known, and the
        # condition goes on telling since when.
        if found := found or _last_failure(world):
            return Packaging(None, None, *found, wants_job=True)
        return Packaging(
            None, None, ResolvedReason.RESOLVING, f"Looking up {world.spec.model.uri}.", True
        )
    found = found or Diagnosis(LoadFailure.INTERNAL_ERROR, "The lookup ended without a result.")
    wait = _retry_delay(world, ended) - seconds_since(ended, now)
    message = f"{found.message} It is looked up again every while, and when spec.model changes."
    # Without the Job in the plan it is deleted; the event of that brings the next one.
    left = wait if wait > 0 else None
    return Packaging(None, None, found.reason, message, wants_job=wait > 0, look_again=left)


def _last_failure(world: World) -> Diagnosis | None:
    """What the last lookup for this very spec failed with."""
    for condition in world.status.conditions:
        if (
            condition.type == ConditionType.MODEL_RESOLVED
            and condition.status == "False"
            and condition.observedGeneration == world.generation
        ):
            return Diagnosis(condition.reason, condition.message)
    return None


def _retry_delay(world: World, ended: str) -> float:
    """Seconds from a failed lookup to the next: as long as the model had been missing by then."""
    for condition in world.status.conditions:
        if condition.type == ConditionType.MODEL_RESOLVED and condition.status != "True":
            lasted = seconds_since(condition.lastTransitionTime, from_text(ended))
            return min(max(lasted, FIRST_RETRY), LAST_RETRY)
    return FIRST_RETRY


def _ended(job: Object) -> str | None:
    """When the Job ended for good, well or badly."""
    for condition in job.get("status", {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            moment: str = condition["lastTransitionTime"]
            return moment
    return None


def _digest_of(pod: Object) -> str | None:
    for status in pod.get("status", {}).get("containerStatuses") or ():
        ended = status.get("state", {}).get("terminated") or {}
        if ended.get("exitCode") == 0 and (outcome := Outcome.from_text(ended.get("message", ""))):
            return outcome.digest
    return None
