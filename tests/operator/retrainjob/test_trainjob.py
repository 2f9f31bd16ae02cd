"""A run with ``backend: TrainJob``, decided step by step."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support import loops
from support.runs import (
    ASSEMBLED,
    CHAMPION,
    COMPLETE,
    COMPLETED,
    LATER,
    TRAINED,
    children_of,
    job_status,
    planned,
    staged,
    staged_pod,
    step_states,
    succeeded,
)
from support.worlds import DIGEST, NOW

from perennial_contracts.api.retrainjob_status import RetrainJobStatus
from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.run_plan import TrainingResult
from perennial_operator.clock import to_text
from perennial_operator.diagnosis import Diagnosis
from perennial_operator.objects import CLAIM, TRAIN_JOB, Object
from perennial_operator.retrainjob import trainjob
from perennial_operator.retrainjob.plan import refused

RUNNING: Object = {"running": {}}


def test_each_step_is_created_when_the_one_before_has_succeeded_and_none_is_deleted() -> None:
    first = ["PersistentVolumeClaim/delays-1-work", "Job/delays-1"]
    assert children_of(staged()) == first
    assert children_of(staged({"Job/delays-1": {}})) == ["Job/delays-1"]
    assert children_of(staged(ASSEMBLED)) == ["Job/delays-1", "TrainJob/delays-1"]
    running = staged({**ASSEMBLED, "TrainJob/delays-1": {}})
    assert children_of(running) == ["Job/delays-1", "TrainJob/delays-1"]
    assert children_of(staged(TRAINED)) == [
        "Job/delays-1",
        "TrainJob/delays-1",
        "Job/delays-1-judge",
    ]


def test_the_conditions_report_all_three_steps() -> None:
    assembling = staged({"Job/delays-1": {}}, [staged_pod("assemble", "assemble", RUNNING)])
    assert step_states(assembling) == [("Unknown", "Assembling"), LATER, LATER]
    begun = {**ASSEMBLED, "TrainJob/delays-1": {}}
    assert step_states(staged(begun)) == [COMPLETED, ("Unknown", "Starting"), LATER]
    training = staged(begun, [staged_pod("train", "node", RUNNING)])
    assert step_states(training) == [COMPLETED, ("Unknown", "Training"), LATER]
    assert planned(training).progress_from == "10.0.0.7"
    assert planned(training).look_again
    judged = {**ASSEMBLED, "Job/delays-1-judge": {}}
    judging = staged(judged, [staged_pod("judge", "judge", RUNNING)])
    assert step_states(judging) == [COMPLETED, COMPLETED, ("Unknown", "Judging")]


def test_the_result_of_the_judge_ends_the_run() -> None:
    result = TrainingResult(
        decision="Accepted",
        message="better",
        challenger={"uri": "s3://models/out/b/", "digest": DIGEST},
        data={"digest": DIGEST, "rows": 9},
        comparisons=[],
    )
    found = staged_pod(
        "judge", "judge", {"terminated": {"exitCode": 0, "message": result.to_text()}}
    )
    around = staged({**ASSEMBLED, "Job/delays-1-judge": COMPLETE}, [found])
    assert step_states(around) == [COMPLETED] * 3
    assert planned(around).status.decision == "Accepted"


def test_a_failed_trainer_is_reported_by_its_pod_or_else_by_the_train_job() -> None:
    failed = {**ASSEMBLED, "TrainJob/delays-1": job_status("Failed", "FailedJobs", "jobset failed")}
    outcome = Outcome(reason="NoLabels", message="no labels.")
    ending = {"terminated": {"exitCode": 1, "message": outcome.to_text()}}
    states = [COMPLETED, ("False", "NoLabels"), LATER]
    assert step_states(staged(failed, [staged_pod("train", "node", ending)])) == states
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    around = staged(failed, [staged_pod("train", "node", killed)])
    assert step_states(around)[1] == ("False", "OutOfMemory")
    assert "spec.resources.limits.memory" in succeeded(around)[2]
    # The run waits for the status of the pods.
    assert step_states(staged(failed))[1][0] == "Unknown"
    assert step_states(staged(failed), 60)[1] == ("False", "TrainJobFailed")
    assert "FailedJobs: jobset failed" in succeeded(staged(failed), 60)[2]


def test_a_failed_step_ends_the_run_and_nothing_follows() -> None:
    message = Outcome(reason="NoLabels", message="no labels.").to_text()
    broken = staged_pod("assemble", "assemble", {"terminated": {"exitCode": 1, "message": message}})
    around = staged({"Job/delays-1": job_status("Failed")}, [broken])
    assert step_states(around) == [("False", "NoLabels"), LATER, LATER]
    assert children_of(around) == ["Job/delays-1"]


def test_the_deadline_applies_to_all_steps_together() -> None:
    at = planned(staged(ASSEMBLED, activeDeadlineSeconds=100), seconds=70)
    assert at.children[-1]["spec"]["activeDeadlineSeconds"] == 30
    late = staged(ASSEMBLED, activeDeadlineSeconds=100)
    assert step_states(late, 101) == [COMPLETED, ("False", "DeadlineExceeded"), LATER]
    exceeded = {**ASSEMBLED, "TrainJob/delays-1": job_status("Failed", "DeadlineExceeded")}
    assert step_states(staged(exceeded))[1] == ("False", "DeadlineExceeded")


def test_without_kubeflow_trainer_nothing_is_created_and_the_message_has_the_command() -> None:
    around = replace(staged(), missing_kinds=frozenset({TRAIN_JOB.name}))
    assert children_of(around) == []
    assert step_states(around)[0] == ("Unknown", "TrainerNotInstalled")
    assert "Install Kubeflow Trainer 2.2 or newer" in succeeded(around)[2]
    assert planned(around).look_again


def test_a_trainer_that_drops_the_patches_is_reported_as_too_old() -> None:
    around = staged({**ASSEMBLED, "TrainJob/delays-1": {}})
    around.children["TrainJob", "delays-1"]["spec"] = {}
    assert step_states(around)[1] == ("False", "TrainerNotInstalled")
    assert "2.2 or newer" in succeeded(around)[2]


def test_only_children_that_a_decision_needs_are_read() -> None:
    train = (TRAIN_JOB, "delays-1")
    assert trainjob.unwatched_children(staged(), NOW) == [train]
    assert trainjob.unwatched_children(staged({"Job/delays-1": {}}), NOW) == []
    assert trainjob.unwatched_children(staged(ASSEMBLED), NOW) == [train]
    assert trainjob.unwatched_children(staged({**ASSEMBLED, "Job/delays-1-judge": {}}), NOW) == []
    plain = staged(backend={"type": "Job", "runtimeRef": None, "workspace": None})
    assert trainjob.unwatched_children(plain, NOW) == []


def test_an_ended_run_keeps_its_children_for_their_time_to_live() -> None:
    over = RetrainJobStatus(
        champion=CHAMPION,
        completionTime=to_text(NOW),
        conditions=[loops.condition_of("Succeeded", "True", "Rejected")],
    )
    around = staged(TRAINED, status=over, ttlSecondsAfterFinished=60)
    assert trainjob.unwatched_children(around, NOW) == []
    assert len(planned(around).children) == 2
    assert planned(around).look_again == 60
    later = NOW + timedelta(seconds=61)
    assert trainjob.unwatched_children(around, later) == [
        (TRAIN_JOB, "delays-1"), (CLAIM, "delays-1-work"),
    ]  # fmt: skip
    assert planned(around, 61).children == []
    swept = staged(status=over, ttlSecondsAfterFinished=60)
    assert trainjob.unwatched_children(swept, later) == []
    assert planned(swept, 61).look_again is None


_AROUND = staged()


@pytest.mark.parametrize(
    ("children", "done"), [({}, 0), (ASSEMBLED, 1), (TRAINED, 2)], ids=["Job", "TrainJob", "judge"]
)
def test_a_refused_step_is_reported_after_those_that_have_succeeded(
    children: dict[str, Object], done: int
) -> None:
    plan = refused(staged(children), Diagnosis("ApplyRefused", "exceeded quota."), NOW)
    states = [(each.status, each.reason) for each in plan.status.conditions[:-1]]
    expected = [*[COMPLETED] * done, ("Unknown", "ApplyRefused"), *[LATER] * (2 - done)]
    assert states == expected
