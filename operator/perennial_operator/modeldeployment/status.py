"""What is said about a ModelDeployment: its status, and the events of what changed."""

from dataclasses import dataclass
from datetime import datetime

from perennial_contracts.api.common import Condition
from perennial_contracts.api.conditions import (
    ConditionType,
    ProgressingReason,
    ReadyReason,
    ResolvedReason,
)
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus, Revision
from perennial_contracts.api.monitoring import CaptureReason, DriftReason, QualityReason
from perennial_contracts.api.retraining import RetrainingReason
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import TrainingFailure

from ..conditions import Event, Verdict, to_condition
from ..diagnosis import Diagnosis, diagnose
from ..names import REVISION_LABEL, revision_selector
from ..objects import Object
from ..specs import service
from ..world import World
from .artifact.result import Packaging
from .monitoring import Watched
from .retraining.plan import Retrained
from .rollback import Rollback
from .rollout import Rollout

_UNKNOWN = ("Unknown", "")
_BLAMED = {*LoadFailure, *TrainingFailure, ResolvedReason.DEADLINE_EXCEEDED}
"""Reasons for which there is no model, and not only no pod."""
_DECIDED = (ConditionType.MODEL_RESOLVED, ConditionType.RETRAINING)
"""Conditions that may report a decision instead of an observation."""
_QUIET = {
    DriftReason.NO_DRIFT, QualityReason.AS_EVALUATED, CaptureReason.WRITING,
    RetrainingReason.NOT_NEEDED,
}  # fmt: skip


@dataclass(frozen=True)
class Decisions:
    """Everything that was decided about a ModelDeployment at one moment."""

    artifact: Packaging
    rollout: Rollout
    rollback: Rollback
    monitoring: Watched | None
    retraining: Retrained


def describe(world: World, decisions: Decisions, now: datetime) -> ModelDeploymentStatus:
    """Return the status to write once all that was decided is applied."""
    packaging, rollout, rollback = decisions.artifact, decisions.rollout, decisions.rollback
    watched, retrained = decisions.monitoring, decisions.retraining
    stable = _Pods.of(world, rollout.stable)
    candidate = _Pods.of(world, rollout.candidate)
    verdicts = {
        ConditionType.READY: _ready(world, packaging, stable),
        ConditionType.PROGRESSING: _progressing(world, packaging, rollout, stable, candidate),
        ConditionType.MODEL_RESOLVED: _resolved(packaging, candidate if candidate else stable),
        **_monitored(watched),
    }
    if retrained.verdict:
        verdicts[ConditionType.RETRAINING] = retrained.verdict
    serving = rollout.serving
    return ModelDeploymentStatus(
        observedGeneration=world.generation,
        conditions=_conditions(world, verdicts, now),
        url=service.url(world) if serving else None,
        stable=rollout.stable,
        candidate=rollout.candidate,
        previous=list(rollout.previous),
        resolution=packaging.resolution,
        detected=packaging.detected,
        promoted=packaging.promoted,
        rollbackRequest=rollback.request,
        monitoring=watched.status if watched else None,
        retraining=retrained.status,
        replicas=stable.existing if stable else 0,
        readyReplicas=stable.available if stable else 0,
        selector=_selector(world, serving) if serving else None,
    )


def describe_refused(
    world: World, decisions: Decisions, refusal: Diagnosis, now: datetime
) -> ModelDeploymentStatus:
    """Return the status to write if the API server rejects a child.

    It is the recorded status with new observations. No decision is recorded, so that the next
    reconciliation makes it again.
    """
    before, artifact = world.status, decisions.artifact
    stable = _Pods.of(world, before.stable)
    serving = before.stable or before.candidate
    candidate = _Pods.of(world, decisions.rollout.candidate)
    verdicts = {
        ConditionType.READY: _ready(world, artifact, stable),
        ConditionType.PROGRESSING: Verdict(
            "False", refusal.reason, refusal.message + _keeps_serving(before.stable)
        ),
        ConditionType.MODEL_RESOLVED: _resolved(artifact, candidate if candidate else stable),
        **_monitored(decisions.monitoring),
    }
    recorded = {condition.type: condition for condition in before.conditions}
    observed: dict[str, object] = {}
    if artifact.promoted and artifact.promoted != before.promoted:
        # The promotion is a decision, too: another model than the recorded one.
        del verdicts[ConditionType.MODEL_RESOLVED]
    else:
        recorded.pop(ConditionType.MODEL_RESOLVED, None)
        observed = {"resolution": artifact.resolution, "detected": artifact.detected}
    kept = [recorded[type_] for type_ in _DECIDED if type_ in recorded]
    observed |= {
        "observedGeneration": world.generation,
        "conditions": [*_conditions(world, verdicts, now), *kept],
        "monitoring": decisions.monitoring.status if decisions.monitoring else None,
        "replicas": stable.existing if stable else 0,
        "readyReplicas": stable.available if stable else 0,
        "selector": _selector(world, serving) if serving else None,
    }
    return before.model_copy(update=observed)


def _conditions(world: World, verdicts: dict[str, Verdict], now: datetime) -> list[Condition]:
    return [
        to_condition(type_, verdict, world.status.conditions, world.generation, now)
        for type_, verdict in verdicts.items()
    ]


def _monitored(watched: Watched | None) -> dict[str, Verdict]:
    """Return the conditions of monitoring; none if the spec has no monitoring."""
    verdicts: dict[str, Verdict] = {}
    if watched:
        verdicts[ConditionType.DRIFT_DETECTED] = watched.drift
        verdicts[ConditionType.QUALITY_DROPPED] = watched.quality
        if watched.capture:
            verdicts[ConditionType.CAPTURING] = watched.capture
    return verdicts


def events(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> list[Event]:
    """An event for each condition that turned True or False or has another reason for it, and for a
    promotion. That all is well at the beginning is told of serving only."""
    old = {condition.type: (condition.status, condition.reason) for condition in before.conditions}
    told = [
        Event(condition.reason, condition.message, warning=_is_bad(condition))
        for condition in after.conditions
        if old.get(condition.type) != (condition.status, condition.reason)
        and condition.status != "Unknown"
        and not (condition.reason in _QUIET and old.get(condition.type, _UNKNOWN)[0] == "Unknown")
    ]
    if after.stable and (not before.stable or before.stable.name != after.stable.name):
        told.append(Event("Promoted", f"Revision {after.stable.name} gets the traffic."))
    return list(dict.fromkeys(told))


@dataclass(frozen=True)
class _Pods:
    """How the pods of a revision are."""

    existing: int
    available: int
    diagnosis: Diagnosis | None

    @classmethod
    def of(cls, world: World, revision: Revision | None) -> "_Pods | None":
        if not revision:
            return None
        deployment = world.deployment_of(revision.name)
        counts = (deployment or {}).get("status", {})
        return cls(
            existing=counts.get("replicas", 0),
            available=counts.get("availableReplicas", 0),
            diagnosis=diagnose(world.pods_of(REVISION_LABEL, revision.name), deployment),
        )


def _ready(world: World, packaging: Packaging, stable: _Pods | None) -> Verdict:
    wanted = world.spec.replicas
    if stable and stable.available:
        if stable.available >= wanted:
            return Verdict("True", ReadyReason.SERVING, f"{_of(stable.available, wanted)} answer.")
        return Verdict(
            "True",
            ReadyReason.FEWER_REPLICAS,
            f"{_of(stable.available, wanted)} answer.{_because(stable.diagnosis)}",
        )
    if stable and wanted == 0:
        return Verdict(
            "False", ReadyReason.SCALED_TO_ZERO, "spec.replicas is 0; set it to serve again."
        )
    why = stable.diagnosis if stable else None
    if not stable:
        message = "The first revision is not ready yet; see Progressing."
        if packaging.failed:
            message = f"There is no model to serve: {packaging.message}"
        return Verdict("False", ReadyReason.NO_REPLICAS, message)
    return Verdict("False", ReadyReason.NO_REPLICAS, f"{_of(0, wanted)} answer.{_because(why)}")


def _progressing(
    world: World,
    packaging: Packaging,
    rollout: Rollout,
    stable: _Pods | None,
    candidate: _Pods | None,
) -> Verdict:
    wanted = world.spec.replicas
    keeps = _keeps_serving(rollout.stable)
    if packaging.failed:
        return Verdict("False", packaging.reason, packaging.message + keeps)
    if packaging.digest is None:
        under_way = ProgressingReason.RESOLVING_MODEL
        if packaging.reason == ResolvedReason.PACKAGING:
            under_way = ProgressingReason.PACKAGING_MODEL
        return Verdict("True", under_way, packaging.message + keeps)
    if rollout.candidate and candidate:
        if candidate.diagnosis:
            return Verdict("False", candidate.diagnosis.reason, candidate.diagnosis.message + keeps)
        return Verdict(
            "True",
            ProgressingReason.STARTING_CANDIDATE,
            f"Revision {rollout.candidate.name}: {_of(candidate.available, wanted)} ready." + keeps,
        )
    if stable and (stable.available < wanted or stable.existing != wanted):
        if stable.available < wanted and stable.diagnosis:
            return Verdict("False", stable.diagnosis.reason, stable.diagnosis.message)
        return Verdict("True", ProgressingReason.SCALING, f"{_of(stable.available, wanted)} ready.")
    if _retiring(world, rollout):
        return Verdict(
            "True", ProgressingReason.RETIRING, "The pods of the revision before are drained."
        )
    return Verdict("False", ProgressingReason.COMPLETE, "What the spec asks for is served.")


def _resolved(packaging: Packaging, pods: _Pods | None) -> Verdict:
    if pods and pods.diagnosis and pods.diagnosis.blames_model:
        return Verdict("False", *pods.diagnosis)
    if packaging.digest:
        return Verdict("True", packaging.reason, packaging.message)
    blamed = packaging.final or packaging.reason in _BLAMED
    return Verdict("False" if blamed else "Unknown", packaging.reason, packaging.message)


def _keeps_serving(stable: Revision | None) -> str:
    return f" Revision {stable.name} goes on serving." if stable else ""


def _retiring(world: World, rollout: Rollout) -> bool:
    deployments = (world.deployment_of(old.name) for old in rollout.previous)
    return any(deployment and _replicas(deployment) for deployment in deployments)


def _replicas(deployment: Object) -> int:
    return int(deployment.get("status", {}).get("replicas", 0))


def _is_bad(condition: Condition) -> bool:
    if condition.type in (ConditionType.DRIFT_DETECTED, ConditionType.QUALITY_DROPPED):
        return condition.status == "True"
    if condition.type == ConditionType.RETRAINING:
        return condition.reason == RetrainingReason.INVALID_SCHEDULE
    fine = {ProgressingReason.COMPLETE, ReadyReason.SCALED_TO_ZERO, ReadyReason.NO_REPLICAS}
    return condition.status == "False" and condition.reason not in fine


def _selector(world: World, revision: Revision) -> str:
    pairs = revision_selector(world.name, revision.name)
    return ",".join(f"{key}={value}" for key, value in pairs.items())


def _of(count: int, wanted: int) -> str:
    return f"{count} of {wanted} {'replica' if wanted == 1 else 'replicas'}"


def _because(diagnosis: Diagnosis | None) -> str:
    return f" {diagnosis.message}" if diagnosis else ""
