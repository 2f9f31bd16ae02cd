"""Conditions, reasons and events; their messages are for people and left out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from golden.cases import LONG, RUNS, TRAINERS, run, spec
from golden.record import check
from support import loops, worlds
from support.loops import accepted, live_run, rejected
from support.worlds import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    ended,
    resolver_pod,
    revision_pod,
    waiting,
)

from perennial_contracts.api.conditions import (
    ConditionType,
    PodFailure,
    ProgressingReason,
    ReadyReason,
    ResolvedReason,
)
from perennial_contracts.api.modeldeployment import ROLLBACK_ANNOTATION
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.monitoring import (
    CaptureReason,
    DriftReason,
    MonitoringReason,
    QualityReason,
)
from perennial_contracts.api.retraining import RETRAIN_ANNOTATION, RetrainingReason
from perennial_contracts.api.retrainjob_status import (
    ASSEMBLED,
    JUDGED,
    SUCCEEDED,
    TRAINED,
    Comparison,
    DataSummary,
    Metric,
    RetrainJobStatus,
    RunReason,
)
from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_contracts.wire.run_plan import Model, TrainingFailure, TrainingResult
from perennial_operator.modeldeployment.plan import decide
from perennial_operator.plan import ResourcePlan
from perennial_operator.retrainjob.plan import decide as decide_run
from perennial_operator.world import RunWorld, World

REASONS = {
    "types": ConditionType,
    "ready": ReadyReason,
    "progressing": ProgressingReason,
    "resolved": ResolvedReason,
    "pod": PodFailure,
    "load": LoadFailure,
    "training": TrainingFailure,
    "drift": DriftReason,
    "quality": QualityReason,
    "capture": CaptureReason,
    "monitoring": MonitoringReason,
    "retraining": RetrainingReason,
    "run": RunReason,
}


def test_the_condition_types_and_reasons_are_those_that_were_recorded() -> None:
    found = {name: sorted(map(str, values)) for name, values in REASONS.items()}
    found["run types"] = [
        ASSEMBLED, TRAINED, JUDGED, SUCCEEDED,
    ]  # fmt: skip
    check("reasons", found)


def silent(value: Any) -> Any:
    """Return a status without its messages."""
    if isinstance(value, list):
        return [silent(each) for each in value]
    if isinstance(value, dict):
        return {key: silent(each) for key, each in value.items() if key != "message"}
    return value


def told(plan: ResourcePlan[Any]) -> dict[str, Any]:
    return {
        "status": silent(plan.status.model_dump(exclude_none=True)),
        "events": [[event.reason, event.warning] for event in plan.events],
        "children": [f"{each['kind']}/{each['metadata']['name']}" for each in plan.children],
    }


def model_worlds() -> dict[str, World]:
    """Return a model in many states, by what has happened."""
    plain, unpinned, raw = worlds.spec(), spec("unpinned"), spec("raw")
    stable = worlds.revision(plain)
    serving = ModelDeploymentStatus(stable=stable)

    def live(available: int, replicas: int = 1, **pod: Any) -> World:
        of = worlds.spec(replicas=replicas)
        around = worlds.live_deployment(worlds.world(of), stable, replicas, available)
        pods = [revision_pod(stable, **pod)] if pod else []
        return worlds.world(of, serving, [around], pods)

    def outcome(of: Any, outcome: Outcome) -> World:
        return worlds.world(of, pods=[resolver_pod(of, containerStatuses=ended(outcome, 1))])

    found = {name: worlds.world(spec(name)) for name in ("plain", "unpinned", "raw", "raw-keras")}
    resolved = ended(Outcome(digest=OTHER_DIGEST), 0)
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    killed = ended(None, 137, reason="OOMKilled")
    return {
        **found,
        "long name": worlds.world(plain, name=LONG),
        "found": worlds.world(unpinned, pods=[resolver_pod(unpinned, containerStatuses=resolved)]),
        "not found": outcome(unpinned, Outcome(reason="ModelNotFound", message="no")),
        "unreachable": outcome(unpinned, Outcome(reason="StoreUnreachable", message="no")),
        "needs packaging": outcome(
            unpinned, Outcome(reason="NeedsPackaging", format="Keras", variant="tf", message="k")
        ),
        "no converter": worlds.world(spec("raw-keras")),
        "no image": worlds.world(raw),
        "serving": live(1),
        "fewer": live(1, 3),
        "none": live(0),
        "zero": live(0, 0),
        "unschedulable": live(0, conditions=[unscheduled]),
        "image": live(0, containerStatuses=waiting("ImagePullBackOff", "no such image")),
        "config": live(0, containerStatuses=waiting("CreateContainerConfigError", "no secret")),
        "memory": live(0, containerStatuses=killed),
        "corrupt": live(
            0, containerStatuses=ended(Outcome(reason="ModelCorrupt", message="no"), 1)
        ),
        "crashed": live(0, containerStatuses=ended(None, 1)),
        "all well": loops.world(observed=loops.observation()),
        "drift": loops.world(observed=loops.observation(x=(900, 100), score=(900, 100))),
        "input drift": loops.world(observed=loops.observation(x=(900, 100))),
        "quality": loops.world(observed=loops.observation(right=700, wrong=300)),
        "known drift": loops.world(drifted=True, dropped=True),
        "cooldown": loops.world(dropped=True, runs=(rejected(),)),
        "by hand": loops.world(annotations={RETRAIN_ANNOTATION: "please"}),
        "running": loops.world(runs=(live_run("delays-1"),)),
        "accepted": loops.world(runs=(accepted(),)),
        "manual": loops.world(loops.spec({"promotion": "Manual"}), runs=(accepted(),)),
        "suggest": loops.world(loops.spec({"promotion": "Suggest"}), runs=(accepted(),)),
        "superseded": loops.world(runs=(accepted(champion=OTHER_DIGEST),)),
        "failed": loops.world(runs=(live_run("delays-1", state=("False", "NoLabels")),)),
        "bad schedule": loops.world(loops.spec(schedule="0 0 0 0 x")),
        "schedule": loops.world(loops.spec(schedule="0 3 * * 1")),
        "nothing to roll back": loops.world(annotations={ROLLBACK_ANNOTATION: "1"}),
        "rolled back": loops.world(
            annotations={ROLLBACK_ANNOTATION: "1"},
            status={"previous": [worlds.revision(loops.spec(), digest=OTHER_DIGEST)]},
        ),
    }


def test_the_status_of_a_model_in_each_state_is_the_one_that_was_recorded() -> None:
    trainers: dict[str, Any] = {"no converter": {"tabular": "trainer:1"}, "no image": {}}
    check(
        "statuses",
        {
            name: told(decide(around, worlds.images(trainers.get(name, TRAINERS)), NOW))
            for name, around in model_worlds().items()
        },
    )


def pod(step: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the pod of a run at a step, the steps before which have succeeded."""
    order = ("assemble", "train", "judge")
    well = {"terminated": {"exitCode": 0}}
    states = dict.fromkeys(order[: order.index(step)], well) | {step: state}
    listed = [
        {"name": name, "image": "trainer:1", "ready": False, "state": each}
        for name, each in states.items()
    ]
    status = {"podIP": "10.0.0.7", "initContainerStatuses": listed}
    labels = {"perennial.dev/step": step}
    return {"kind": "Pod", "metadata": {"name": "delays-1-x", "labels": labels}, "status": status}


RESULT = TrainingResult(
    decision="Accepted",
    message="better",
    challenger=Model(uri="s3://models/out/b/", digest=OTHER_DIGEST),
    candidate="LightGBM",
    data=DataSummary(digest=DIGEST, rows=9, captured=4),
    metrics=[Metric(name="roc_auc", value="0.9250")],
    sizeBytes=1000,
    p95Microseconds=70,
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
    report="s3://models/out/b/report.html",
)


def run_worlds() -> dict[str, RunWorld]:
    """Return a run in many states, by what has happened."""
    job = {"kind": "Job", "metadata": {"name": "delays-1", "uid": "uid-3"}, "spec": {}}
    over = {"type": "Failed", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"}
    deadline = {"conditions": [{**over, "reason": "DeadlineExceeded"}]}
    failed = {"conditions": [{**over, "reason": "PodFailurePolicy"}]}
    labels = Outcome(reason="NoLabels", message="none").to_text()

    def live(status: dict[str, Any], *pods: dict[str, Any], **spec: Any) -> RunWorld:
        return run(children=[{**job, "status": status}], pods=list(pods), **spec)

    running: dict[str, Any] = {"running": {}}
    return {
        "new": run(status=RetrainJobStatus()),
        "recorded": run(),
        "staged": run(**RUNS["staged"]),
        "queued": live({"conditions": [{**over, "type": "Suspended"}]}, queueName="a"),
        "assembling": live({}, pod("assemble", running)),
        "training": live({}, pod("train", running)),
        "judging": live({}, pod("judge", running)),
        "deadline": live(deadline),
        "no labels": live(
            failed, pod("assemble", {"terminated": {"exitCode": 1, "message": labels}})
        ),
        "memory": live(
            failed, pod("train", {"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
        ),
        "no result": live({"conditions": [{**over, "type": "Complete", "reason": ""}]}),
        "accepted": live(
            {"conditions": [{**over, "type": "Complete", "reason": ""}]},
            pod("judge", {"terminated": {"exitCode": 0, "message": RESULT.to_text()}}),
        ),
        "no trainer": replace(run(**RUNS["staged"]), missing_kinds=frozenset({"TrainJob"})),
        "no model": replace(run(), deployed=None),
    }


def test_the_status_of_a_run_in_each_state_is_the_one_that_was_recorded() -> None:
    check(
        "run_statuses",
        {
            name: told(decide_run(around, worlds.IMAGES, NOW + timedelta(minutes=5)))
            for name, around in run_worlds().items()
        },
    )
