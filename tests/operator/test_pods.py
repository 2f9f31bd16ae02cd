from perennial_operator.pods import (
    container_statuses,
    ending_of,
    is_complete,
    is_running,
    is_true,
    state_of,
    termination_of,
)

POD = {
    "status": {
        "initContainerStatuses": [{"name": "fetch", "state": {"terminated": {"exitCode": 0}}}],
        "containerStatuses": [{"name": "publish", "state": {"running": {}}}],
        "conditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
}


def job(type_: str, status: str = "True") -> dict[str, object]:
    condition = {"type": type_, "status": status, "lastTransitionTime": "2026-01-02T03:04:05Z"}
    return {"status": {"conditions": [condition]}}


def test_init_containers_come_first_and_can_be_left_out() -> None:
    assert [each["name"] for each in container_statuses(POD)] == ["fetch", "publish"]
    assert [each["name"] for each in container_statuses(POD, init=False)] == ["publish"]
    assert container_statuses({}) == []


def test_the_state_of_a_container_is_found_by_its_name() -> None:
    assert termination_of(POD, "fetch") == {"exitCode": 0}
    assert termination_of(POD, "publish") is None
    assert (is_running(POD, "publish"), is_running(POD, "fetch")) == (True, False)
    assert state_of(POD, "convert") == {}


def test_a_job_has_ended_when_it_is_complete_or_failed() -> None:
    assert ending_of({}) is None
    assert ending_of(job("Complete", "False")) is None
    ending = ending_of(job("Failed"))
    assert ending is not None
    assert (ending.type, ending.reason, ending.time) == ("Failed", "", "2026-01-02T03:04:05Z")
    assert (is_complete(job("Complete")), is_complete(job("Failed")), is_complete(None)) == (
        True, False, False,
    )  # fmt: skip


def test_a_condition_is_true_only_if_its_status_is_true() -> None:
    assert is_true(POD, "DisruptionTarget")
    assert not is_true(POD, "PodScheduled")
    assert not is_true(job("Suspended", "False"), "Suspended")
