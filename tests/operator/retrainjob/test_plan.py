from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import loops, worlds
from support.loops import TEMPLATE
from support.worlds import DIGEST, NOW, OTHER_DIGEST

from perennial_contracts.api.common import Condition, LocalReference
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import (
    Comparison,
    DataSummary,
    ModelReference,
    RetrainJobStatus,
)
from perennial_contracts.wire.names import RETRY_EXIT_CODE
from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.run_plan import Best, Model, Plan, Progress, TrainingResult
from perennial_operator.clock import to_text
from perennial_operator.diagnosis import Diagnosis
from perennial_operator.objects import Object
from perennial_operator.retrainjob.conditions import bounded
from perennial_operator.retrainjob.plan import decide, refused
from perennial_operator.specs import run_job
from perennial_operator.world import RunWorld

STEPS = ("Assembled", "Trained", "Judged")
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
    said: Progress | None = None,
    capture: dict[str, Any] | None = CAPTURE,
    **spec: Any,
) -> RunWorld:
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
        progress=said,
    )


def begun() -> RetrainJobStatus:
    return RetrainJobStatus(champion=CHAMPION, startTime=to_text(NOW))


def told(around: RunWorld, seconds: float = 0) -> tuple[str, str, str]:
    plan = decide(around, worlds.IMAGES, NOW + timedelta(seconds=seconds))
    condition = condition_of(plan.status, "Succeeded")
    return condition.status, condition.reason, condition.message


def condition_of(status: RetrainJobStatus, type_: str) -> Condition:
    return next(each for each in status.conditions if each.type == type_)


def steps_told(around: RunWorld) -> list[tuple[str, str]]:
    """Status and reason of each step's condition, in their order."""
    status = decide(around, worlds.IMAGES, NOW).status
    assert [each.type for each in status.conditions] == [*STEPS, "Succeeded"]
    return [(each.status, each.reason) for each in status.conditions[:-1]]


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


def pod_at(step: str, state: dict[str, Any], **status: Any) -> Object:
    """A pod at a step, the steps before which have ended well."""
    order = ("assemble", "train", "judge")
    ended_well = {"terminated": {"exitCode": 0}}
    states = dict.fromkeys(order[: order.index(step)], ended_well) | {step: state}
    containers = [
        {"name": name, "image": "trainer:1", "ready": False, "state": each}
        for name, each in states.items()
    ]
    told = {
        "podIP": "10.0.0.7",
        "initContainerStatuses": [each for each in containers if each["name"] != "judge"],
        "containerStatuses": [each for each in containers if each["name"] == "judge"],
    }
    return {"kind": "Pod", "metadata": {"name": "delays-1-x"}, "status": {**told, **status}}


def failed(step: str, outcome: Outcome | None = None, **more: Any) -> Object:
    message = outcome.to_text() if outcome else ""
    return pod(step, {"terminated": {"exitCode": 1, "message": message, **more}})


def test_a_run_waits_for_its_model_to_exist_and_to_serve() -> None:
    for around, what in (
        (world(deployed=False), "does not exist"),
        (world(stable=False), "has no stable revision"),
    ):
        status, reason, message = told(around)
        assert (status, reason) == ("Unknown", "WaitingForModel")
        assert what in message
        assert decide(around, worlds.IMAGES, NOW).children == []


def test_the_champion_is_recorded_before_the_job_is_made() -> None:
    first = decide(world(), worlds.IMAGES, NOW)
    assert first.children == []
    assert first.status.champion == CHAMPION
    second = decide(world(first.status), worlds.IMAGES, NOW)
    assert [child["kind"] for child in second.children] == ["Job"]


def test_a_run_with_nothing_to_learn_from_fails_and_says_what_to_set() -> None:
    status, reason, message = told(world(capture=None))
    assert (status, reason) == ("False", "NothingToLearnFrom")
    assert "spec.monitoring.capture.uri" in message
    assert told(world(capture=None, data={**TEMPLATE["data"], "baseline": "s3://m/x.parquet"}))[
        :2
    ] == ("Unknown", "Starting")


def test_the_steps_share_a_plan_and_training_sees_neither_holdout_nor_secret() -> None:
    (job,) = decide(world(begun()), worlds.IMAGES, NOW).children
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
    spec = decide(around, worlds.IMAGES, NOW).children[0]["spec"]["template"]["spec"]
    assemble, train = spec["initContainers"]
    assert (assemble["image"], train["image"]) == ("trainer:1", "mine:1")
    assert "args" not in train
    assert train["resources"]["limits"] == {"nvidia.com/gpu": 1, "memory": "1Gi"}
    assert assemble["resources"]["limits"] == {"memory": "1Gi"}


def test_captured_files_on_a_claim_are_mounted_for_assembling_and_judging() -> None:
    around = world(begun(), capture={"uri": "pvc://disk/capture/"})
    spec = decide(around, worlds.IMAGES, NOW).children[0]["spec"]["template"]["spec"]
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
    plan = decide(world(begun(), job=ended("Complete"), pods=[done]), worlds.IMAGES, NOW)
    assert plan.status.decision == "Accepted"
    assert plan.status.challenger is not None
    assert plan.status.challenger.digest == OTHER_DIGEST
    assert plan.status.comparisons == RESULT.comparisons
    assert plan.status.message == RESULT.message
    assert plan.status.completionTime == to_text(NOW)
    assert [event.reason for event in plan.events] == [*STEPS, "Accepted"]


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
    assert decide(around, worlds.IMAGES, NOW).look_again is not None
    assert told(around, seconds=60)[:2] == ("False", "NoResult")


def test_an_image_that_cannot_be_pulled_is_told_while_it_is_waited_for() -> None:
    stuck = pod("train", {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}})
    status, reason, message = told(world(begun(), job={}, pods=[stuck], image="mine:1"))
    assert (status, reason) == ("Unknown", "ImagePullFailed")
    assert "Check spec.image" in message


def test_a_refused_job_is_told_and_tried_again() -> None:
    plan = refused(world(begun()), Diagnosis("ApplyRefused", "no quota"), NOW)
    told_of = condition_of(plan.status, "Succeeded")
    assert (told_of.status, told_of.message) == ("Unknown", "no quota")


def test_a_run_that_has_ended_is_left_as_it_is() -> None:
    over = begun().model_copy(
        update={"conditions": [loops.condition_of("Succeeded", "True", "Rejected")]}
    )
    plan = decide(world(over, job=ended("Complete")), worlds.IMAGES, NOW)
    assert plan.status == over
    assert plan.events == []
    assert [child["kind"] for child in plan.children] == ["Job"]
    # Its Job goes by its ttl; it is not made again.
    assert decide(world(over), worlds.IMAGES, NOW).children == []


def test_the_plan_of_a_run_fits_what_the_api_server_takes() -> None:
    of = loops.spec(monitoring={"capture": CAPTURE})
    job = run_job.build(world(), of, CHAMPION, "trainer:1", to_text(NOW))
    assert job["metadata"]["ownerReferences"][0]["kind"] == "RetrainJob"
    assert "suspend" not in job["spec"]
    assert "kueue.x-k8s.io/queue-name" not in job["metadata"]["labels"]


COMPLETED, LATER = ("True", "Completed"), ("Unknown", "NotReached")


@pytest.mark.parametrize(
    ("step", "state", "job", "expected"),
    [
        ("assemble", {"running": {}}, {}, [("Unknown", "Assembling"), LATER, LATER]),
        ("train", {"running": {}}, {}, [COMPLETED, ("Unknown", "Training"), LATER]),
        ("judge", {"running": {}}, {}, [COMPLETED, COMPLETED, ("Unknown", "Judging")]),
        (
            "train",
            {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            ended("Failed"),
            [COMPLETED, ("False", "OutOfMemory"), LATER],
        ),
        (
            "judge",
            {"terminated": {"exitCode": 0, "message": RESULT.to_text()}},
            ended("Complete"),
            [COMPLETED, COMPLETED, COMPLETED],
        ),
    ],
)
def test_each_step_has_a_condition_that_is_true_once_it_has_ended(
    step: str, state: dict[str, Any], job: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert steps_told(world(begun(), job=job, pods=[pod_at(step, state)])) == expected


def test_before_there_is_a_pod_no_step_is_reached() -> None:
    assert steps_told(world(begun())) == [("Unknown", "Starting"), LATER, LATER]
    assert steps_told(world(stable=False)) == [("Unknown", "WaitingForModel"), LATER, LATER]
    assert steps_told(world(capture=None)) == [("False", "NothingToLearnFrom"), LATER, LATER]


def test_a_deadline_that_took_the_pod_along_is_told_of_the_step_that_ran() -> None:
    running = world(begun(), job={}, pods=[pod_at("train", {"running": {}})])
    before = decide(running, worlds.IMAGES, NOW).status
    ending = ended("FailureTarget", "DeadlineExceeded")
    stopping = world(before, job=ending, activeDeadlineSeconds=60)
    assert decide(stopping, worlds.IMAGES, NOW).status == before
    over = world(before, job=ended("Failed", "DeadlineExceeded"), activeDeadlineSeconds=60)
    assert steps_told(over) == [COMPLETED, ("False", "DeadlineExceeded"), LATER]


def test_another_attempt_begins_anew_and_so_do_the_conditions() -> None:
    first = world(begun(), job={}, pods=[pod_at("judge", {"running": {}})])
    before = decide(first, worlds.IMAGES, NOW).status
    second = world(before, job={}, pods=[pod_at("assemble", {"running": {}})])
    assert steps_told(second) == [("Unknown", "Assembling"), LATER, LATER]


def test_each_step_that_ends_is_told_once_as_an_event() -> None:
    heard = []
    status = begun()
    states: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("assemble", {"running": {}}, {}),
        ("train", {"running": {}}, {}),
        ("train", {"running": {}}, {}),
        ("judge", {"running": {}}, {}),
        ("judge", {"terminated": {"exitCode": 0, "message": RESULT.to_text()}}, ended("Complete")),
    ]
    for step, state, job in states:
        plan = decide(world(status, job=job, pods=[pod_at(step, state)]), worlds.IMAGES, NOW)
        status = plan.status
        heard += [event.reason for event in plan.events]
    assert heard == [
        *("Assembling", "Assembled", "Training", "Trained", "Judging", "Judged", "Accepted"),
    ]


def test_a_failure_is_a_warning_and_told_once() -> None:
    around = world(begun(), job=ended("Failed"), pods=[failed("train", reason="OOMKilled")])
    events = decide(around, worlds.IMAGES, NOW).events
    assert [(event.reason, event.warning) for event in events] == [("OutOfMemory", True)]


def test_a_queue_makes_the_job_begin_suspended_under_its_label() -> None:
    (job,) = decide(world(begun(), queueName="team-a"), worlds.IMAGES, NOW).children
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
    assert job["spec"]["suspend"] is True


def test_a_run_in_a_queue_says_so_and_goes_on_from_there() -> None:
    waiting = ended("Suspended", "JobSuspended")
    around = world(begun(), job=waiting, queueName="team-a")
    status, reason, message = told(around)
    assert (status, reason) == ("Unknown", "Queued")
    assert "queue team-a" in message
    assert message.endswith("kubectl describe workload -n default -l kueue.x-k8s.io/job-uid=uid-3")
    # Taken back for a run that is more important: its pod goes, and what it had done with it.
    running = pod_at("train", {"running": {}})
    assert steps_told(world(begun(), job=waiting, queueName="team-a", pods=[running])) == [
        ("Unknown", "Queued"), LATER, LATER,
    ]  # fmt: skip
    resumed = {"conditions": [{**waiting["conditions"][0], "status": "False"}]}
    assert told(world(begun(), job=resumed, queueName="team-a", pods=[running]))[1] == "Training"


def test_only_what_a_retry_can_mend_is_retried() -> None:
    (job,) = decide(world(begun()), worlds.IMAGES, NOW).children
    disruption, failure = job["spec"]["podFailurePolicy"]["rules"]
    # The first rule that fits counts: a pod that its node gave up ends with 137, too.
    assert disruption["action"] == "Ignore"
    assert disruption["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert failure["action"] == "FailJob"
    exits = failure["onExitCodes"]
    assert exits["operator"] == "NotIn"
    assert set(exits["values"]) == {0, RETRY_EXIT_CODE}
    assert job["spec"]["backoffLimit"] > 0


def test_a_pod_that_its_node_gave_up_is_no_failure_of_the_step() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    lost = pod_at("train", {"terminated": {"exitCode": 137}}, conditions=[condition])
    status, reason, message = told(world(begun(), job={}, pods=[lost]))
    assert (status, reason) == ("Unknown", "Starting")
    assert "A replacement pod starts over" in message


PROGRESS = Progress(
    phase="Searching",
    trialsDone=3,
    trialsTotal=10,
    best=Best(kind="Logistic", metric="roc_auc", value=0.70516),
)


def test_the_pod_that_trains_is_asked_for_its_progress_and_no_other() -> None:
    for step, asked in (("assemble", None), ("train", "10.0.0.7"), ("judge", None)):
        around = world(begun(), job={}, pods=[pod_at(step, {"running": {}})])
        assert decide(around, worlds.IMAGES, NOW).progress_from == asked
    assert decide(world(begun(), job={}), worlds.IMAGES, NOW).progress_from is None


def test_progress_stands_in_the_status_until_another_attempt_begins() -> None:
    training = pod_at("train", {"running": {}})
    status = decide(
        world(begun(), job={}, pods=[training], said=PROGRESS), worlds.IMAGES, NOW
    ).status
    assert status.progress is not None
    assert status.progress.model_dump() == {
        "phase": "Searching",
        "trialsDone": 3,
        "trialsTotal": 10,
        "best": {"kind": "Logistic", "metric": "roc_auc", "value": "0.7052"},
    }
    # Nothing new, nothing to write.
    again = world(status, job={}, pods=[training], said=PROGRESS)
    assert decide(again, worlds.IMAGES, NOW).status == status
    over = world(status, job=ended("Failed", "DeadlineExceeded"))
    assert decide(over, worlds.IMAGES, NOW).status.progress == status.progress
    anew = world(status, job={}, pods=[pod_at("assemble", {"running": {}})])
    assert decide(anew, worlds.IMAGES, NOW).status.progress is None


@given(
    st.builds(
        Progress,
        phase=st.text(max_size=100),
        trialsDone=st.integers(-(10**30), 10**30),
        trialsTotal=st.integers(-(10**30), 10**30),
        best=st.none()
        | st.builds(
            Best, kind=st.text(max_size=300), metric=st.just("rmse"), value=st.floats(width=64)
        ),
    )
)
def test_whatever_a_trainer_says_fits_into_the_status(said: Progress) -> None:
    told_of = bounded(said)
    assert len(told_of.phase) <= 64
    for trials in (told_of.trialsDone, told_of.trialsTotal):
        assert 0 <= trials < 2**63
    if told_of.best:
        assert len(told_of.best.value) <= 32
        float(told_of.best.value)
