"""A run with ``backend: TrainJob``, decided step by step."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import loops, worlds
from support.loops import TEMPLATE
from support.worlds import DIGEST, NOW

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import ModelReference, RetrainJobStatus
from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.run_plan import Plan, TrainingResult
from perennial_operator.clock import to_text
from perennial_operator.names import STEP_LABEL
from perennial_operator.objects import CLAIM, TRAIN_JOB, Object
from perennial_operator.retrainjob import trainjob
from perennial_operator.retrainjob.conditions import RetrainJobPlan
from perennial_operator.retrainjob.plan import decide
from perennial_operator.specs import train_job, workspace
from perennial_operator.world import RunWorld

BACKEND = {
    "type": "TrainJob",
    "runtimeRef": {"name": "torch-distributed"},
    "workspace": {"size": "5Gi", "storageClassName": "nfs"},
}
CHAMPION = ModelReference(uri="s3://models/delays/1/", digest=DIGEST)
RUNNING: Object = {"running": {}}
COMPLETED, LATER = ("True", "Completed"), ("Unknown", "NotReached")


def world(
    children: dict[str, Any] | None = None,
    pods: list[Object] | None = None,
    status: RetrainJobStatus | None = None,
    name: str = "delays-1",
    backend: dict[str, Any] | None = None,
    **spec: Any,
) -> RunWorld:
    """A run that has begun; ``children`` are statuses by KIND/NAME."""
    of = loops.spec(monitoring={"capture": {"uri": "s3://models/capture/"}})
    live: dict[tuple[str, str], Object] = {}
    for place, told in (children or {}).items():
        kind, child = place.split("/")
        patched = {"runtimePatches": []} if kind == "TrainJob" else {}
        metadata = {"name": child, "uid": f"uid-{place}"}
        live[kind, child] = {"kind": kind, "metadata": metadata, "spec": patched, "status": told}
    fields = {**TEMPLATE, "modelRef": {"name": "delays"}, "backend": {**BACKEND, **(backend or {})}}
    return RunWorld(
        namespace="default",
        name=name,
        uid="uid-2",
        generation=1,
        children=live,
        pods=tuple(pods or ()),
        spec=RetrainJobSpec.model_validate({**fields, **spec}),
        status=status or RetrainJobStatus(champion=CHAMPION, startTime=to_text(NOW)),
        deployed=(of, ModelDeploymentStatus(stable=worlds.revision(of))),
    )


def pod(step: str, container: str, state: Object) -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": f"delays-1-{step}-x", "labels": {STEP_LABEL: step}},
        "status": {
            "podIP": "10.0.0.7",
            "containerStatuses": [
                {"name": container, "image": "mine:1", "ready": False, "state": state}
            ],
        },
    }


def ended(type_: str, reason: str = "", message: str = "") -> Object:
    when = to_text(NOW)
    condition = {"type": type_, "status": "True", "reason": reason, "lastTransitionTime": when}
    return {"conditions": [{**condition, "message": message}]}


COMPLETE = ended("Complete")
ASSEMBLED = {"Job/delays-1": COMPLETE}
TRAINED = {**ASSEMBLED, "TrainJob/delays-1": COMPLETE}


def planned(around: RunWorld, seconds: float = 0) -> RetrainJobPlan:
    return decide(around, worlds.IMAGES, NOW + timedelta(seconds=seconds))


def made(around: RunWorld) -> list[str]:
    return [f"{each['kind']}/{each['metadata']['name']}" for each in planned(around).children]


def steps_told(around: RunWorld, seconds: float = 0) -> list[tuple[str, str]]:
    return [(each.status, each.reason) for each in planned(around, seconds).status.conditions[:-1]]


def message_of(around: RunWorld, seconds: float = 0) -> str:
    return planned(around, seconds).status.conditions[-1].message


def test_each_step_is_made_when_the_one_before_has_succeeded_and_none_goes_meanwhile() -> None:
    first = ["PersistentVolumeClaim/delays-1-work", "Job/delays-1"]
    assert made(world()) == first
    assert made(world({"Job/delays-1": {}})) == ["Job/delays-1"]
    assert made(world(ASSEMBLED)) == ["Job/delays-1", "TrainJob/delays-1"]
    running = world({**ASSEMBLED, "TrainJob/delays-1": {}})
    assert made(running) == ["Job/delays-1", "TrainJob/delays-1"]
    assert made(world(TRAINED)) == ["Job/delays-1", "TrainJob/delays-1", "Job/delays-1-judge"]


def test_the_conditions_follow_the_three_of_them() -> None:
    assembling = world({"Job/delays-1": {}}, [pod("assemble", "assemble", RUNNING)])
    assert steps_told(assembling) == [("Unknown", "Assembling"), LATER, LATER]
    begun = {**ASSEMBLED, "TrainJob/delays-1": {}}
    assert steps_told(world(begun)) == [COMPLETED, ("Unknown", "Starting"), LATER]
    training = world(begun, [pod("train", "node", RUNNING)])
    assert steps_told(training) == [COMPLETED, ("Unknown", "Training"), LATER]
    assert planned(training).progress_from == "10.0.0.7"
    assert planned(training).look_again
    judged = {**ASSEMBLED, "Job/delays-1-judge": {}}
    judging = world(judged, [pod("judge", "judge", RUNNING)])
    assert steps_told(judging) == [COMPLETED, COMPLETED, ("Unknown", "Judging")]


def test_what_the_judge_found_ends_the_run() -> None:
    result = TrainingResult(
        decision="Accepted",
        message="better",
        challenger={"uri": "s3://models/out/b/", "digest": DIGEST},
        data={"digest": DIGEST, "rows": 9},
        comparisons=[],
    )
    found = pod("judge", "judge", {"terminated": {"exitCode": 0, "message": result.to_text()}})
    around = world({**ASSEMBLED, "Job/delays-1-judge": COMPLETE}, [found])
    assert steps_told(around) == [COMPLETED] * 3
    assert planned(around).status.decision == "Accepted"


def test_a_trainer_that_fails_is_told_by_its_pod_or_else_by_the_train_job() -> None:
    failed = {**ASSEMBLED, "TrainJob/delays-1": ended("Failed", "FailedJobs", "jobset failed")}
    outcome = Outcome(reason="NoLabels", message="no labels.")
    said = {"terminated": {"exitCode": 1, "message": outcome.to_text()}}
    told = [COMPLETED, ("False", "NoLabels"), LATER]
    assert steps_told(world(failed, [pod("train", "node", said)])) == told
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    around = world(failed, [pod("train", "node", killed)])
    assert steps_told(around)[1] == ("False", "OutOfMemory")
    assert "spec.resources.limits.memory" in message_of(around)
    # News of the pods is waited for.
    assert steps_told(world(failed))[1][0] == "Unknown"
    assert steps_told(world(failed), 60)[1] == ("False", "TrainJobFailed")
    assert "FailedJobs: jobset failed" in message_of(world(failed), 60)


def test_a_step_that_fails_is_the_end_and_nothing_comes_after_it() -> None:
    said = Outcome(reason="NoLabels", message="no labels.").to_text()
    broken = pod("assemble", "assemble", {"terminated": {"exitCode": 1, "message": said}})
    around = world({"Job/delays-1": ended("Failed")}, [broken])
    assert steps_told(around) == [("False", "NoLabels"), LATER, LATER]
    assert made(around) == ["Job/delays-1"]


def test_the_deadline_is_that_of_all_steps_together() -> None:
    at = planned(world(ASSEMBLED, activeDeadlineSeconds=100), seconds=70)
    assert at.children[-1]["spec"]["activeDeadlineSeconds"] == 30
    late = world(ASSEMBLED, activeDeadlineSeconds=100)
    assert steps_told(late, 101) == [COMPLETED, ("False", "DeadlineExceeded"), LATER]
    exceeded = {**ASSEMBLED, "TrainJob/delays-1": ended("Failed", "DeadlineExceeded")}
    assert steps_told(world(exceeded))[1] == ("False", "DeadlineExceeded")


def test_without_a_kubeflow_trainer_nothing_is_made_and_the_message_says_what_to_install() -> None:
    around = replace(world(), missing_kinds=frozenset({TRAIN_JOB.name}))
    assert made(around) == []
    assert steps_told(around)[0] == ("Unknown", "TrainerNotInstalled")
    assert "Install Kubeflow Trainer 2.2 or newer" in message_of(around)
    assert planned(around).look_again


def test_a_trainer_that_drops_the_mounts_is_told_to_be_too_old() -> None:
    around = world({**ASSEMBLED, "TrainJob/delays-1": {}})
    around.children["TrainJob", "delays-1"]["spec"] = {}
    assert steps_told(around)[1] == ("False", "TrainerNotInstalled")
    assert "2.2 or newer" in message_of(around)


def test_only_what_a_decision_needs_is_asked_for() -> None:
    train = (TRAIN_JOB, "delays-1")
    assert trainjob.unwatched_children(world(), NOW) == [train]
    assert trainjob.unwatched_children(world({"Job/delays-1": {}}), NOW) == []
    assert trainjob.unwatched_children(world(ASSEMBLED), NOW) == [train]
    assert trainjob.unwatched_children(world({**ASSEMBLED, "Job/delays-1-judge": {}}), NOW) == []
    plain = world(backend={"type": "Job", "runtimeRef": None, "workspace": None})
    assert trainjob.unwatched_children(plain, NOW) == []


def test_an_ended_run_keeps_all_for_its_time_to_live_and_is_then_asked_for_no_more() -> None:
    over = RetrainJobStatus(
        champion=CHAMPION,
        completionTime=to_text(NOW),
        conditions=[loops.condition_of("Succeeded", "True", "Rejected")],
    )
    around = world(TRAINED, status=over, ttlSecondsAfterFinished=60)
    assert trainjob.unwatched_children(around, NOW) == []
    assert len(planned(around).children) == 2
    assert planned(around).look_again == 60
    later = NOW + timedelta(seconds=61)
    assert trainjob.unwatched_children(around, later) == [
        (TRAIN_JOB, "delays-1"), (CLAIM, "delays-1-work"),
    ]  # fmt: skip
    assert planned(around, 61).children == []
    swept = world(status=over, ttlSecondsAfterFinished=60)
    assert trainjob.unwatched_children(swept, later) == []
    assert planned(swept, 61).look_again is None


def test_the_train_job_finds_its_files_and_not_what_it_is_judged_on() -> None:
    backend = {"nodes": 4, "command": ["torchrun", "train.py"]}
    limits = {"limits": {"nvidia.com/gpu": 1}}
    around = world(ASSEMBLED, backend=backend, image="mine:1", resources=limits)
    job = planned(around).children[-1]
    trainer, (patch,) = job["spec"]["trainer"], job["spec"]["runtimePatches"]
    assert (trainer["image"], trainer["numNodes"]) == ("mine:1", 4)
    assert trainer["command"] == ["torchrun", "train.py"]
    assert "args" not in trainer
    assert trainer["resourcesPerNode"] == limits
    Plan.model_validate_json(trainer["env"][0]["value"])
    (of_job,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    template = of_job["template"]["spec"]["template"]
    assert template["metadata"]["annotations"] == {"perennial.dev/retrain-job": "delays-1"}
    (container,) = template["spec"]["containers"]
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert mounts.keys() == {"/perennial", "/tmp"}
    # The API of TrainJobs tells mounts apart by the volume's name.
    assert len({mount["name"] for mount in mounts.values()}) == len(mounts)
    seen = mounts["/perennial"]["subPath"]
    for step, shown in (("assemble", {"input", "output"}), ("judge", {"input", "output"})):
        files = {mount["subPath"] for mount in workspace.mounts(step) if mount["name"] == "work"}
        assert files == {f"{seen}/{name}" for name in shown} | {"holdout"}
    assert "env" not in container


def test_the_search_that_is_built_in_is_run_by_its_own_command() -> None:
    trainer = planned(world(ASSEMBLED)).children[-1]["spec"]["trainer"]
    assert trainer["image"] == "trainer:1"
    assert trainer["command"] + trainer["args"] == ["perennial-trainer", "train"]


def test_the_claim_is_as_the_spec_asks() -> None:
    claim, job = planned(world()).children
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "nfs",
    }
    pod_spec = job["spec"]["template"]["spec"]
    volume = next(each for each in pod_spec["volumes"] if each["name"] == "work")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    # A Job that went by itself would take with it that the rows are assembled.
    assert "ttlSecondsAfterFinished" not in job["spec"]


@pytest.mark.parametrize("kind", ["ClusterTrainingRuntime", "TrainingRuntime"])
def test_the_runtime_is_named_with_its_kind(kind: str) -> None:
    backend = {"runtimeRef": {"name": "mine", "kind": kind}}
    job = planned(world(ASSEMBLED, backend=backend)).children[-1]
    api_group = "trainer.kubeflow.org"
    assert job["spec"]["runtimeRef"] == {"apiGroup": api_group, "kind": kind, "name": "mine"}


_AROUND = world()


@given(st.lists(st.sampled_from(["a", "0", "-b", ".c"]), min_size=1, max_size=120).map("".join))
def test_the_names_of_its_pods_are_dns_labels_however_long_the_runs_is(name: str) -> None:
    made_up = train_job.job_name(replace(_AROUND, name=name))
    assert len(f"{made_up}-node-0-999-abcde") <= 63
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", made_up)
