from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import (
    COMPLETED,
    LATER,
    PROGRESS,
    RESULT,
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

from perennial_contracts.wire.run_plan import Best, Progress
from perennial_operator.retrainjob.conditions import bounded


def test_the_condition_reports_the_running_step() -> None:
    for step, reason in (("assemble", "Assembling"), ("train", "Training"), ("judge", "Judging")):
        around = world(started(), job={}, pods=[pod(step, {"running": {}})])
        assert succeeded(around)[:2] == ("Unknown", reason)
    assert succeeded(world(started(), job={}))[:2] == ("Unknown", "Starting")


@pytest.mark.parametrize(
    ("step", "state", "job", "expected"),
    [
        ("assemble", {"running": {}}, {}, [("Unknown", "Assembling"), LATER, LATER]),
        ("train", {"running": {}}, {}, [COMPLETED, ("Unknown", "Training"), LATER]),
        ("judge", {"running": {}}, {}, [COMPLETED, COMPLETED, ("Unknown", "Judging")]),
        (
            "train",
            {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            job_status("Failed"),
            [COMPLETED, ("False", "OutOfMemory"), LATER],
        ),
        (
            "judge",
            {"terminated": {"exitCode": 0, "message": RESULT.to_text()}},
            job_status("Complete"),
            [COMPLETED, COMPLETED, COMPLETED],
        ),
    ],
)
def test_each_step_has_a_condition_that_is_true_once_it_has_succeeded(
    step: str, state: dict[str, Any], job: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert step_states(world(started(), job=job, pods=[pod_at(step, state)])) == expected


def test_no_step_is_reached_before_there_is_a_pod() -> None:
    assert step_states(world(started())) == [("Unknown", "Starting"), LATER, LATER]
    assert step_states(world(stable=False)) == [("Unknown", "WaitingForModel"), LATER, LATER]
    assert step_states(world(capture=None)) == [("False", "NothingToLearnFrom"), LATER, LATER]


def test_each_step_that_succeeds_is_one_event() -> None:
    reasons = []
    status = started()
    states: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("assemble", {"running": {}}, {}),
        ("train", {"running": {}}, {}),
        ("train", {"running": {}}, {}),
        ("judge", {"running": {}}, {}),
        (
            "judge",
            {"terminated": {"exitCode": 0, "message": RESULT.to_text()}},
            job_status("Complete"),
        ),
    ]
    for step, state, job in states:
        plan = planned(world(status, job=job, pods=[pod_at(step, state)]))
        status = plan.status
        reasons += [event.reason for event in plan.events]
    assert reasons == [
        *("Assembling", "Assembled", "Training", "Trained", "Judging", "Judged", "Accepted"),
    ]


def test_a_failure_is_one_warning() -> None:
    around = world(started(), job=job_status("Failed"), pods=[failed("train", reason="OOMKilled")])
    events = planned(around).events
    assert [(event.reason, event.warning) for event in events] == [("OutOfMemory", True)]


def test_progress_is_in_the_status_until_another_attempt_starts() -> None:
    training = pod_at("train", {"running": {}})
    status = planned(world(started(), job={}, pods=[training], progress=PROGRESS)).status
    assert status.progress is not None
    assert status.progress.model_dump() == {
        "phase": "Searching",
        "trialsDone": 3,
        "trialsTotal": 10,
        "best": {"kind": "Logistic", "metric": "roc_auc", "value": "0.7052"},
    }
    # The same progress changes nothing.
    again = world(status, job={}, pods=[training], progress=PROGRESS)
    assert planned(again).status == status
    over = world(status, job=job_status("Failed", "DeadlineExceeded"))
    assert planned(over).status.progress == status.progress
    second = world(status, job={}, pods=[pod_at("assemble", {"running": {}})])
    assert planned(second).status.progress is None


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
def test_any_report_of_a_trainer_fits_into_the_status(progress: Progress) -> None:
    reported = bounded(progress)
    assert len(reported.phase) <= 64
    for trials in (reported.trialsDone, reported.trialsTotal):
        assert 0 <= trials < 2**63
    if reported.best:
        assert len(reported.best.value) <= 32
        float(reported.best.value)
