"""Builders of runs, with one Job or with a TrainJob of Kubeflow Trainer."""

from datetime import timedelta
from typing import Any

from perennial_contracts.api.common import Condition, LocalReference
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import (
    Comparison,
    DataSummary,
    ModelReference,
    RetrainJobStatus,
)
from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.run_plan import Best, Model, Progress, TrainingResult
from perennial_operator.clock import to_text
from perennial_operator.names import STEP_LABEL
from perennial_operator.objects import Object
from perennial_operator.retrainjob.conditions import RetrainJobPlan
from perennial_operator.retrainjob.plan import decide
from perennial_operator.world import RunWorld
from support import loops, worlds
from support.loops import TEMPLATE
from support.worlds import DIGEST, NOW, OTHER_DIGEST

STEPS = ("Assembled", "Trained", "Judged")
COMPLETED, LATER = ("True", "Completed"), ("Unknown", "NotReached")
CHAMPION = ModelReference(uri="s3://models/delays/1/", digest=DIGEST)
CAPTURE = {"uri": "s3://models/capture/"}
BACKEND: dict[str, Any] = {
    "type": "TrainJob",
    "runtimeRef": {"name": "torch-distributed"},
    "workspace": {"size": "5Gi", "storageClassName": "nfs"},
}
RESULT = TrainingResult(
    decision="Accepted",
    message="ROC AUC .888 -> .925",
    challenger=Model(uri="s3://models/out/b/", digest=OTHER_DIGEST),
    candidate="HistGradientBoosting",
    data=DataSummary(digest=DIGEST, rows=1000),
    comparisons=[
        Comparison(
            metric="roc_auc",
            on="Recent",
            rows=500,
            championPermille=888,
            challengerPermille=925,
            lowPermille=20,
            highPermille=50,
        )
    ],
)
PROGRESS = Progress(
    phase="Searching",
    trialsDone=3,
    trialsTotal=10,
    best=Best(kind="Logistic", metric="roc_auc", value=0.70516),
)


def job_status(type_: str, reason: str = "", message: str = "") -> Object:
    """Return the status of a Job with one condition."""
    condition = {
        "type": type_,
        "status": "True",
        "reason": reason,
        "lastTransitionTime": to_text(NOW),
        "message": message,
    }
    return {"conditions": [condition]}


COMPLETE = job_status("Complete")
ASSEMBLED = {"Job/delays-1": COMPLETE}
TRAINED = {**ASSEMBLED, "TrainJob/delays-1": COMPLETE}


def world(
    status: RetrainJobStatus | None = None,
    *,
    job: dict[str, Any] | None = None,
    pods: list[Object] | None = None,
    stable: bool = True,
    deployed: bool = True,
    progress: Progress | None = None,
    capture: dict[str, Any] | None = CAPTURE,
    **spec: Any,
) -> RunWorld:
    """Return a run; ``job`` is the status of its Job, if it has one."""
    of = loops.spec(monitoring={"capture": capture} if capture else {})
    of = of.model_copy(
        update={
            "model": of.model.model_copy(update={"secretRef": LocalReference(name="models-s3")})
        }
    )
    around = ModelDeploymentStatus(stable=worlds.revision(of) if stable else None)
    children = {}
    if job is not None:
        live = {"kind": "Job", "metadata": {"name": "delays-1", "uid": "uid-3"}, "status": job}
        children["Job", "delays-1"] = live
    return RunWorld(
        namespace="default",
        name="delays-1",
        uid="uid-2",
        generation=1,
        children=children,
        pods=tuple(pods or ()),
        spec=RetrainJobSpec.model_validate({**TEMPLATE, "modelRef": {"name": "delays"}, **spec}),
        status=status or RetrainJobStatus(),
        deployed=(of, around) if deployed else None,
        progress=progress,
    )


def staged(
    children: dict[str, Any] | None = None,
    pods: list[Object] | None = None,
    status: RetrainJobStatus | None = None,
    name: str = "delays-1",
    backend: dict[str, Any] | None = None,
    **spec: Any,
) -> RunWorld:
    """Return a started run with a TrainJob; ``children`` are statuses by KIND/NAME."""
    of = loops.spec(monitoring={"capture": CAPTURE})
    live: dict[tuple[str, str], Object] = {}
    for path, state in (children or {}).items():
        kind, child = path.split("/")
        patched = {"runtimePatches": []} if kind == "TrainJob" else {}
        metadata = {"name": child, "uid": f"uid-{path}"}
        live[kind, child] = {"kind": kind, "metadata": metadata, "spec": patched, "status": state}
    fields = {**TEMPLATE, "modelRef": {"name": "delays"}, "backend": {**BACKEND, **(backend or {})}}
    return RunWorld(
        namespace="default",
        name=name,
        uid="uid-2",
        generation=1,
        children=live,
        pods=tuple(pods or ()),
        spec=RetrainJobSpec.model_validate({**fields, **spec}),
        status=status or started(),
        deployed=(of, ModelDeploymentStatus(stable=worlds.revision(of))),
    )


def started() -> RetrainJobStatus:
    """Return the status of a run that has recorded its champion."""
    return RetrainJobStatus(champion=CHAMPION, startTime=to_text(NOW))


def pod(step: str, state: dict[str, Any]) -> Object:
    """Return a pod that reports one step only."""
    key = "containerStatuses" if step == "judge" else "initContainerStatuses"
    status = {key: [{"name": step, "image": "trainer:1", "ready": False, "state": state}]}
    return {"kind": "Pod", "metadata": {"name": "delays-1-x"}, "status": status}


def pod_at(step: str, state: dict[str, Any], **status: Any) -> Object:
    """Return a pod at a step; the steps before it have succeeded."""
    order = ("assemble", "train", "judge")
    succeeded = {"terminated": {"exitCode": 0}}
    states = dict.fromkeys(order[: order.index(step)], succeeded) | {step: state}
    containers = [
        {"name": name, "image": "trainer:1", "ready": False, "state": each}
        for name, each in states.items()
    ]
    reported = {
        "podIP": "10.0.0.7",
        "initContainerStatuses": [each for each in containers if each["name"] != "judge"],
        "containerStatuses": [each for each in containers if each["name"] == "judge"],
    }
    return {"kind": "Pod", "metadata": {"name": "delays-1-x"}, "status": {**reported, **status}}


def staged_pod(step: str, container: str, state: Object) -> Object:
    """Return the pod of one step of a staged run."""
    status = {"name": container, "image": "mine:1", "ready": False, "state": state}
    return {
        "kind": "Pod",
        "metadata": {"name": f"delays-1-{step}-x", "labels": {STEP_LABEL: step}},
        "status": {"podIP": "10.0.0.7", "containerStatuses": [status]},
    }


def failed(step: str, outcome: Outcome | None = None, **more: Any) -> Object:
    """Return a pod whose step has failed."""
    message = outcome.to_text() if outcome else ""
    return pod(step, {"terminated": {"exitCode": 1, "message": message, **more}})


def planned(around: RunWorld, seconds: float = 0) -> RetrainJobPlan:
    """Return the plan for a run some seconds after NOW."""
    return decide(around, worlds.IMAGES, NOW + timedelta(seconds=seconds))


def condition_of(status: RetrainJobStatus, type_: str) -> Condition:
    """Return the condition of a type."""
    return next(each for each in status.conditions if each.type == type_)


def succeeded(around: RunWorld, seconds: float = 0) -> tuple[str, str, str]:
    """Return status, reason and message of the condition Succeeded."""
    condition = condition_of(planned(around, seconds).status, "Succeeded")
    return condition.status, condition.reason, condition.message


def step_states(around: RunWorld, seconds: float = 0) -> list[tuple[str, str]]:
    """Return status and reason of each step's condition, in order."""
    status = planned(around, seconds).status
    assert [each.type for each in status.conditions] == [*STEPS, "Succeeded"]
    return [(each.status, each.reason) for each in status.conditions[:-1]]


def children_of(around: RunWorld) -> list[str]:
    """Return the planned children as KIND/NAME."""
    return [f"{each['kind']}/{each['metadata']['name']}" for each in planned(around).children]
