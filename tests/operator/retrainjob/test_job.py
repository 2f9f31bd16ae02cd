from support.runs import (
    COMPLETED,
    LATER,
    RESULT,
    STEPS,
    failed,
    job_status,
    planned,
    pod,
    pod_at,
    started,
    step_states,
    succeeded,
    world,
)
from support.worlds import NOW, OTHER_DIGEST

from perennial_contracts.wire.outcome import Outcome
from perennial_operator.clock import to_text


def test_the_result_of_the_judge_is_in_the_status() -> None:
    done = pod("judge", {"terminated": {"exitCode": 0, "message": RESULT.to_text()}})
    plan = planned(world(started(), job=job_status("Complete"), pods=[done]))
    assert plan.status.decision == "Accepted"
    assert plan.status.challenger is not None
    assert plan.status.challenger.digest == OTHER_DIGEST
    assert plan.status.comparisons == RESULT.comparisons
    assert plan.status.message == RESULT.message
    assert plan.status.completionTime == to_text(NOW)
    assert [event.reason for event in plan.events] == [*STEPS, "Accepted"]


def test_a_failed_step_ends_the_run_with_its_own_reason() -> None:
    outcome = Outcome(reason="NoLabels", message="no labels. Post feedback.")
    around = world(started(), job=job_status("Failed"), pods=[failed("assemble", outcome)])
    assert succeeded(around) == ("False", "NoLabels", "no labels. Post feedback.")


def test_too_little_memory_names_the_step_and_the_field() -> None:
    around = world(
        started(),
        job=job_status("Failed"),
        pods=[failed("train", reason="OOMKilled", exitCode=137)],
    )
    status, reason, message = succeeded(around)
    assert (status, reason) == ("False", "OutOfMemory")
    assert "container 'train'" in message
    assert "Raise spec.resources.limits.memory" in message


def test_an_exceeded_deadline_is_reported_with_its_length() -> None:
    around = world(
        started(), job=job_status("Failed", "DeadlineExceeded"), activeDeadlineSeconds=60
    )
    status, reason, message = succeeded(around)
    assert (status, reason) == ("False", "DeadlineExceeded")
    assert "60 s" in message


def test_an_ended_job_waits_for_the_status_of_its_pod() -> None:
    around = world(started(), job=job_status("Complete"), pods=[pod("judge", {"running": {}})])
    assert succeeded(around)[0] == "Unknown"
    assert planned(around).look_again is not None
    assert succeeded(around, seconds=60)[:2] == ("False", "NoResult")


def test_an_image_that_cannot_be_pulled_is_reported_while_the_run_waits() -> None:
    stuck = pod("train", {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}})
    status, reason, message = succeeded(world(started(), job={}, pods=[stuck], image="mine:1"))
    assert (status, reason) == ("Unknown", "ImagePullFailed")
    assert "Check spec.image" in message


def test_an_exceeded_deadline_is_reported_for_the_step_whose_pod_it_deleted() -> None:
    running = world(started(), job={}, pods=[pod_at("train", {"running": {}})])
    before = planned(running).status
    ending = job_status("FailureTarget", "DeadlineExceeded")
    stopping = world(before, job=ending, activeDeadlineSeconds=60)
    assert planned(stopping).status == before
    over = world(before, job=job_status("Failed", "DeadlineExceeded"), activeDeadlineSeconds=60)
    assert step_states(over) == [COMPLETED, ("False", "DeadlineExceeded"), LATER]


def test_another_attempt_starts_over_and_so_do_the_conditions() -> None:
    first = world(started(), job={}, pods=[pod_at("judge", {"running": {}})])
    before = planned(first).status
    second = world(before, job={}, pods=[pod_at("assemble", {"running": {}})])
    assert step_states(second) == [("Unknown", "Assembling"), LATER, LATER]


def test_a_queued_run_is_reported_and_continues_from_there() -> None:
    waiting = job_status("Suspended", "JobSuspended")
    around = world(started(), job=waiting, queueName="team-a")
    status, reason, message = succeeded(around)
    assert (status, reason) == ("Unknown", "Queued")
    assert "queue team-a" in message
    assert "kubectl describe workload -n default -l kueue.x-k8s.io/job-uid=uid-3 for" in message
    # Suspended again for a run of higher priority: its pod is deleted with all that it has done.
    running = pod_at("train", {"running": {}})
    assert step_states(world(started(), job=waiting, queueName="team-a", pods=[running])) == [
        ("Unknown", "Queued"), LATER, LATER,
    ]  # fmt: skip
    resumed = {"conditions": [{**waiting["conditions"][0], "status": "False"}]}
    assert (
        succeeded(world(started(), job=resumed, queueName="team-a", pods=[running]))[1]
        == "Training"
    )


def test_an_evicted_pod_is_no_failure_of_its_step() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    lost = pod_at("train", {"terminated": {"exitCode": 137}}, conditions=[condition])
    status, reason, message = succeeded(world(started(), job={}, pods=[lost]))
    assert (status, reason) == ("Unknown", "Starting")
    assert "A replacement pod starts over" in message


def test_only_the_pod_that_trains_is_read_for_progress() -> None:
    for step, address in (("assemble", None), ("train", "10.0.0.7"), ("judge", None)):
        around = world(started(), job={}, pods=[pod_at(step, {"running": {}})])
        assert planned(around).progress_from == address
    assert planned(world(started(), job={})).progress_from is None
