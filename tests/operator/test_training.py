from datetime import timedelta
from typing import Any

from support import loops, worlds
from support.loops import TEMPLATE
from support.worlds import DIGEST, NOW, OTHER_DIGEST

from perennial_contracts.api import LocalReference
from perennial_contracts.modeldeployment import ModelDeploymentStatus
from perennial_contracts.outcome import Outcome
from perennial_contracts.retrainjob import (
    Comparison,
    DataSummary,
    ModelReference,
    RetrainJobSpec,
    RetrainJobStatus,
)
from perennial_contracts.training import Model, Plan, TrainingResult
from perennial_operator.children import training_job
from perennial_operator.clock import to_text
from perennial_operator.decisions.diagnosis import Diagnosis
from perennial_operator.decisions.training import decide
from perennial_operator.objects import Object
from perennial_operator.world import TrainingWorld

CHAMPION = ModelReference(uri="s3://models/delays/1/", digest=DIGEST)
CAPTURE = {"uri": "s3://models/capture/"}
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


def world(
    status: RetrainJobStatus | None = None,
    *,
    job: dict[str, Any] | None = None,
    pods: list[Object] | None = None,
    stable: bool = True,
    deployed: bool = True,
    capture: dict[str, Any] | None = CAPTURE,
    **spec: Any,
) -> TrainingWorld:
    """A RetrainJob; ``job`` is the status of its Job, where there is one."""
    of = loops.spec(monitoring={"capture": capture} if capture else {})
    of = of.model_copy(
        update={
            "model": of.model.model_copy(update={"secretRef": LocalReference(name="models-s3")})
        }
    )
    around = ModelDeploymentStatus(stable=worlds.revision(of) if stable else None)
    children = {}
    if job is not None:
        live = {"kind": "Job", "metadata": {"name": "delays-1"}, "status": job}
        children["Job", "delays-1"] = live
    return TrainingWorld(
        namespace="default",
        name="delays-1",
        uid="uid-2",
        generation=1,
        children=children,
        pods=tuple(pods or ()),
        spec=RetrainJobSpec.model_validate({**TEMPLATE, "modelRef": {"name": "delays"}, **spec}),
        status=status or RetrainJobStatus(),
        deployed=(of, around) if deployed else None,
    )


def begun() -> RetrainJobStatus:
    return RetrainJobStatus(champion=CHAMPION, startTime=to_text(NOW))


def told(around: TrainingWorld, seconds: float = 0) -> tuple[str, str, str]:
    plan = decide(around, "trainer:1", NOW + timedelta(seconds=seconds))
    (condition,) = plan.status.conditions
    return condition.status, condition.reason, condition.message


def ended(type_: str, reason: str = "") -> dict[str, Any]:
    condition = {
        "type": type_,
        "status": "True",
        "reason": reason,
        "lastTransitionTime": to_text(NOW),
    }
    return {"conditions": [condition]}


def pod(step: str, state: dict[str, Any]) -> Object:
    key = "containerStatuses" if step == "judge" else "initContainerStatuses"
    status = {key: [{"name": step, "image": "trainer:1", "ready": False, "state": state}]}
    return {"kind": "Pod", "metadata": {"name": "delays-1-x"}, "status": status}


def failed(step: str, outcome: Outcome | None = None, **more: Any) -> Object:
    message = outcome.to_text() if outcome else ""
    return pod(step, {"terminated": {"exitCode": 1, "message": message, **more}})


def test_a_run_waits_for_its_model_to_exist_and_to_serve() -> None:
    for around, what in ((world(deployed=False), "does not exist"), (world(stable=False), "yet")):
        status, reason, message = told(around)
        assert (status, reason) == ("Unknown", "WaitingForModel")
        assert what in message
        assert decide(around, "trainer:1", NOW).children == []


def test_the_champion_is_recorded_before_the_job_is_made() -> None:
    first = decide(world(), "trainer:1", NOW)
    assert first.children == []
    assert first.status.champion == CHAMPION
    second = decide(world(first.status), "trainer:1", NOW)
    assert [child["kind"] for child in second.children] == ["Job"]


def test_a_run_with_nothing_to_learn_from_fails_and_says_what_to_set() -> None:
    status, reason, message = told(world(capture=None))
    assert (status, reason) == ("False", "NothingToLearnFrom")
    assert "spec.monitoring.capture.uri" in message
    assert told(world(capture=None, data={**TEMPLATE["data"], "baseline": "s3://m/x.parquet"}))[
        :2
    ] == ("Unknown", "Starting")


def test_the_steps_share_a_plan_and_training_sees_neither_holdout_nor_secret() -> None:
    (job,) = decide(world(begun()), "trainer:1", NOW).children
    spec = job["spec"]["template"]["spec"]
    assemble, train = spec["initContainers"]
    (judge,) = spec["containers"]
    plans = {step["env"][0]["value"] for step in (assemble, train, judge)}
    plan = Plan.model_validate_json(plans.pop())
    assert not plans
    assert plan.champion == Model(uri=CHAMPION.uri, digest=DIGEST)
    assert plan.captured == "s3://models/capture/"
    assert [step["args"] for step in (assemble, train, judge)] == [
        ["assemble"],
        ["train"],
        ["judge"],
    ]
    mounts = {mount["name"] for mount in train["volumeMounts"]}
    assert mounts == {"input", "output", "tmp"}
    assert "envFrom" not in train
    assert assemble["envFrom"] == judge["envFrom"] == [{"secretRef": {"name": "models-s3"}}]
    assert spec["automountServiceAccountToken"] is False
    assert job["spec"]["activeDeadlineSeconds"] == 3600


def test_a_trainer_of_ones_own_takes_the_place_of_training_alone() -> None:
    limits = {"limits": {"nvidia.com/gpu": 1, "memory": "1Gi"}}
    around = world(begun(), image="mine:1", resources=limits)
    spec = decide(around, "trainer:1", NOW).children[0]["spec"]["template"]["spec"]
    assemble, train = spec["initContainers"]
    assert (assemble["image"], train["image"]) == ("trainer:1", "mine:1")
    assert "args" not in train
    assert train["resources"]["limits"] == {"nvidia.com/gpu": 1, "memory": "1Gi"}
    assert assemble["resources"]["limits"] == {"memory": "1Gi"}


def test_captured_files_on_a_claim_are_mounted_for_assembling_and_judging() -> None:
    around = world(begun(), capture={"uri": "pvc://disk/capture/"})
    spec = decide(around, "trainer:1", NOW).children[0]["spec"]["template"]["spec"]
    plan = Plan.model_validate_json(spec["containers"][0]["env"][0]["value"])
    mounted = {mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert plan.captured is not None
    assert any(plan.captured.startswith(path) for path in mounted - {"/tmp"})
    assert "capture" not in {each["name"] for each in spec["initContainers"][1]["volumeMounts"]}


def test_progress_is_told_by_the_step_that_runs() -> None:
    for step, reason in (("assemble", "Assembling"), ("train", "Training"), ("judge", "Judging")):
        around = world(begun(), job={}, pods=[pod(step, {"running": {}})])
        assert told(around)[:2] == ("Unknown", reason)
    assert told(world(begun(), job={}))[:2] == ("Unknown", "Starting")


def test_what_the_judge_found_stands_in_the_status() -> None:
    done = pod("judge", {"terminated": {"exitCode": 0, "message": RESULT.to_text()}})
    plan = decide(world(begun(), job=ended("Complete"), pods=[done]), "trainer:1", NOW)
    assert plan.status.decision == "Accepted"
    assert plan.status.challenger is not None
    assert plan.status.challenger.digest == OTHER_DIGEST
    assert plan.status.comparisons == RESULT.comparisons
    assert plan.status.message == RESULT.message
    assert plan.status.completionTime == to_text(NOW)
    assert [event.reason for event in plan.events] == ["Accepted"]


def test_a_step_that_fails_ends_the_run_with_its_own_reason() -> None:
    outcome = Outcome(reason="NoLabels", message="no labels. Post feedback.")
    around = world(begun(), job=ended("Failed"), pods=[failed("assemble", outcome)])
    assert told(around) == ("False", "NoLabels", "no labels. Post feedback.")


def test_memory_that_is_too_small_is_told_with_the_step_and_the_field() -> None:
    around = world(
        begun(), job=ended("Failed"), pods=[failed("train", reason="OOMKilled", exitCode=137)]
    )
    status, reason, message = told(around)
    assert (status, reason) == ("False", "OutOfMemory")
    assert "container train" in message
    assert "Raise spec.resources.limits.memory" in message


def test_a_deadline_is_told_with_its_length() -> None:
    around = world(begun(), job=ended("Failed", "DeadlineExceeded"), activeDeadlineSeconds=60)
    status, reason, message = told(around)
    assert (status, reason) == ("False", "DeadlineExceeded")
    assert "60 s" in message


def test_the_news_of_a_pod_is_waited_for_when_its_job_has_ended() -> None:
    around = world(begun(), job=ended("Complete"), pods=[pod("judge", {"running": {}})])
    assert told(around)[0] == "Unknown"
    assert decide(around, "trainer:1", NOW).look_again is not None
    assert told(around, seconds=60)[:2] == ("False", "NoResult")


def test_an_image_that_cannot_be_pulled_is_told_while_it_is_waited_for() -> None:
    stuck = pod("train", {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}})
    status, reason, message = told(world(begun(), job={}, pods=[stuck], image="mine:1"))
    assert (status, reason) == ("Unknown", "ImagePullFailed")
    assert "Check spec.image" in message


def test_a_refused_job_is_told_and_tried_again() -> None:
    plan = decide(world(begun()), "trainer:1", NOW, Diagnosis("ApplyRefused", "no quota"))
    assert plan.status.conditions[0].status == "Unknown"
    assert plan.status.conditions[0].message == "no quota"


def test_a_run_that_has_ended_is_left_as_it_is() -> None:
    over = begun().model_copy(
        update={"conditions": [loops.condition_of("Succeeded", "True", "Rejected")]}
    )
    plan = decide(world(over, job=ended("Complete")), "trainer:1", NOW)
    assert plan.status == over
    assert plan.events == []
    assert [child["kind"] for child in plan.children] == ["Job"]
    # Its Job goes by its ttl; it is not made again.
    assert decide(world(over), "trainer:1", NOW).children == []


def test_the_plan_of_a_run_fits_what_the_api_server_takes() -> None:
    of = loops.spec(monitoring={"capture": CAPTURE})
    job = training_job.build(world(), of, CHAMPION, "trainer:1", to_text(NOW))
    assert job["metadata"]["ownerReferences"][0]["kind"] == "RetrainJob"
    assert job["spec"]["podFailurePolicy"]["rules"][0]["action"] == "FailJob"
