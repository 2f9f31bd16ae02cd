"""Report about a ModelDeployment: its status, and an event for each change."""

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

from ..conditions import ConditionState, Event, to_condition
from ..diagnosis import Diagnosis, diagnose
from ..names import REVISION_LABEL, revision_selector
from ..specs import service
from ..world import World
from .artifact.result import ArtifactResult
from .monitoring import MonitoringResult
from .retraining.plan import RetrainingResult
from .rollback import Rollback
from .rollout import Rollout

_UNKNOWN = ("Unknown", "")
_MODEL_FAILURES = {*LoadFailure, *TrainingFailure, ResolvedReason.DEADLINE_EXCEEDED}
"""Reasons that mean that there is no model, and not only no pod yet."""
_DECIDED = (ConditionType.MODEL_RESOLVED, ConditionType.RETRAINING)
"""Conditions that may report a decision instead of an observation."""
_NO_EVENT_AT_FIRST = {
    DriftReason.NO_DRIFT, QualityReason.AS_EVALUATED, CaptureReason.WRITING,
    RetrainingReason.NOT_NEEDED,
}  # fmt: skip


@dataclass(frozen=True)
class Decisions:
    """Everything that was decided about a ModelDeployment at one moment."""

    artifact: ArtifactResult
    rollout: Rollout
    rollback: Rollback
    monitoring: MonitoringResult | None
    retraining: RetrainingResult


def describe(world: World, decisions: Decisions, now: datetime) -> ModelDeploymentStatus:
    """Return the status to write once the children are applied."""
    artifact, rollout, retraining = decisions.artifact, decisions.rollout, decisions.retraining
    stable = _Pods.of(world, rollout.stable)
    candidate = _Pods.of(world, rollout.candidate)
    states = {
        ConditionType.READY: _ready(world, artifact, stable),
        ConditionType.PROGRESSING: _progressing(world, artifact, rollout, stable, candidate),
        ConditionType.MODEL_RESOLVED: _resolved(artifact, candidate if candidate else stable),
        **_monitoring(decisions.monitoring),
    }
    if retraining.condition:
        states[ConditionType.RETRAINING] = retraining.condition
    serving = rollout.serving
    return ModelDeploymentStatus(
        observedGeneration=world.generation,
        conditions=_conditions(world, states, now),
        url=service.url(world) if serving else None,
        stable=rollout.stable,
        candidate=rollout.candidate,
        previous=list(rollout.previous),
        resolution=artifact.resolution,
        detected=artifact.detected,
        promoted=artifact.promoted,
        rollbackRequest=decisions.rollback.request,
        monitoring=decisions.monitoring.status if decisions.monitoring else None,
        retraining=retraining.status,
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
    before, artifact, rollout = world.status, decisions.artifact, decisions.rollout
    stable = _Pods.of(world, before.stable)
    wanted = _Pods.of(world, rollout.candidate or rollout.stable)
    serving = before.stable or before.candidate
    message = refusal.message + _keeps_serving(before.stable)
    states = {
        ConditionType.READY: _ready(world, artifact, stable),
        ConditionType.PROGRESSING: ConditionState("False", refusal.reason, message),
        ConditionType.MODEL_RESOLVED: _resolved(artifact, wanted),
        **_monitoring(decisions.monitoring),
    }
    recorded = {condition.type: condition for condition in before.conditions}
    observed: dict[str, object] = {}
    if artifact.promoted and artifact.promoted != before.promoted:
        # The promotion is a decision of this plan, and with it the model that is reported.
        del states[ConditionType.MODEL_RESOLVED]
    else:
        recorded.pop(ConditionType.MODEL_RESOLVED, None)
        observed = {"resolution": artifact.resolution, "detected": artifact.detected}
    kept = [recorded[type_] for type_ in _DECIDED if type_ in recorded]
    observed |= {
        "observedGeneration": world.generation,
        "conditions": [*_conditions(world, states, now), *kept],
        "monitoring": decisions.monitoring.status if decisions.monitoring else None,
        "replicas": stable.existing if stable else 0,
        "readyReplicas": stable.available if stable else 0,
        "selector": _selector(world, serving) if serving else None,
    }
    return before.model_copy(update=observed)


def _conditions(world: World, states: dict[str, ConditionState], now: datetime) -> list[Condition]:
    return [
        to_condition(type_, state, world.status.conditions, world.generation, now)
        for type_, state in states.items()
    ]


def _monitoring(result: MonitoringResult | None) -> dict[str, ConditionState]:
    """Return the conditions of monitoring; none if the spec has no monitoring."""
    if not result:
        return {}
    states: dict[str, ConditionState] = {
        ConditionType.DRIFT_DETECTED: result.drift,
        ConditionType.QUALITY_DROPPED: result.quality,
    }
    if result.capture:
        states[ConditionType.CAPTURING] = result.capture
    return states


def events(before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> list[Event]:
    """Return an event for each condition that became True or False, and a promotion.

    A condition whose reason changed counts, too. A good first state is no event, except for those
    of serving.
    """
    old = {condition.type: (condition.status, condition.reason) for condition in before.conditions}
    changes = [
        Event(condition.reason, condition.message, warning=_is_bad(condition))
        for condition in after.conditions
        if old.get(condition.type) != (condition.status, condition.reason)
        and condition.status != "Unknown"
        and not (
            condition.reason in _NO_EVENT_AT_FIRST
            and old.get(condition.type, _UNKNOWN)[0] == "Unknown"
        )
    ]
    if after.stable and (not before.stable or before.stable.name != after.stable.name):
        message = f"Revision {after.stable.name} receives the traffic."
        changes.append(Event("Promoted", message))
    return list(dict.fromkeys(changes))


@dataclass(frozen=True)
class _Pods:
    """The state of a revision's pods."""

    existing: int
    available: int
    diagnosis: Diagnosis | None

    @classmethod
    def of(cls, world: World, revision: Revision | None) -> "_Pods | None":
        """Return the state of the pods of a revision."""
        if not revision:
            return None
        deployment = world.deployment_of(revision.name)
        counts = (deployment or {}).get("status", {})
        return cls(
            existing=counts.get("replicas", 0),
            available=counts.get("availableReplicas", 0),
            diagnosis=diagnose(world.pods_of(REVISION_LABEL, revision.name), deployment),
        )


def _ready(world: World, artifact: ArtifactResult, stable: _Pods | None) -> ConditionState:
    wanted = world.spec.replicas
    if not stable:
        message = "The first revision is not ready yet. See the condition Progressing."
        if artifact.failed:
            message = f"There is no model to serve. {artifact.message}"
        return ConditionState("False", ReadyReason.NO_REPLICAS, message)
    if wanted == 0 and not stable.available:
        message = "spec.replicas is 0. Raise it to serve again."
        return ConditionState("False", ReadyReason.SCALED_TO_ZERO, message)
    message = _ready_replicas(stable.available, wanted)
    if stable.available >= wanted:
        return ConditionState("True", ReadyReason.SERVING, message)
    message += _cause(stable.diagnosis)
    if stable.available:
        return ConditionState("True", ReadyReason.FEWER_REPLICAS, message)
    return ConditionState("False", ReadyReason.NO_REPLICAS, message)


def _progressing(
    world: World,
    artifact: ArtifactResult,
    rollout: Rollout,
    stable: _Pods | None,
    candidate: _Pods | None,
) -> ConditionState:
    wanted = world.spec.replicas
    keeps = _keeps_serving(rollout.stable)
    if artifact.failed:
        return ConditionState("False", artifact.reason, artifact.message + keeps)
    if artifact.digest is None:
        under_way = ProgressingReason.RESOLVING_MODEL
        if artifact.reason == ResolvedReason.PACKAGING:
            under_way = ProgressingReason.PACKAGING_MODEL
        return ConditionState("True", under_way, artifact.message + keeps)
    if rollout.candidate and candidate:
        if candidate.diagnosis:
            reason, message = candidate.diagnosis
            return ConditionState("False", reason, message + keeps)
        ready = _ready_replicas(candidate.available, wanted)
        message = f"Starting revision {rollout.candidate.name}: {ready}"
        return ConditionState("True", ProgressingReason.STARTING_CANDIDATE, message + keeps)
    if stable and (stable.available < wanted or stable.existing != wanted):
        if stable.available < wanted and stable.diagnosis:
            return ConditionState("False", *stable.diagnosis)
        message = _ready_replicas(stable.available, wanted)
        return ConditionState("True", ProgressingReason.SCALING, message)
    if _is_retiring(world, rollout):
        message = "The pods of the former revision are draining."
        return ConditionState("True", ProgressingReason.RETIRING, message)
    return ConditionState("False", ProgressingReason.COMPLETE, "The rollout is complete.")


def _resolved(artifact: ArtifactResult, pods: _Pods | None) -> ConditionState:
    if pods and pods.diagnosis and pods.diagnosis.blames_model:
        return ConditionState("False", *pods.diagnosis)
    if artifact.digest:
        return ConditionState("True", artifact.reason, artifact.message)
    failed = artifact.final or artifact.reason in _MODEL_FAILURES
    return ConditionState("False" if failed else "Unknown", artifact.reason, artifact.message)


def _keeps_serving(stable: Revision | None) -> str:
    return f" Revision {stable.name} keeps serving." if stable else ""


def _is_retiring(world: World, rollout: Rollout) -> bool:
    deployments = (world.deployment_of(former.name) for former in rollout.previous)
    return any(
        deployment.get("status", {}).get("replicas", 0) for deployment in deployments if deployment
    )


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


def _ready_replicas(count: int, wanted: int) -> str:
    return f"{count} of {wanted} replicas are ready."


def _cause(diagnosis: Diagnosis | None) -> str:
    return f" {diagnosis.message}" if diagnosis else ""
