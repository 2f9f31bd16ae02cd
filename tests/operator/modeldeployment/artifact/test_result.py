from dataclasses import replace

from support.artifacts import NOT_FOUND, UNPINNED, failed_resolve_job, planned
from support.worlds import (
    condition,
    kinds,
    world,
)


def test_a_failed_job_is_deleted_after_the_wait_so_that_the_next_can_start() -> None:
    plan = planned(
        world(
            UNPINNED,
            children=[failed_resolve_job(16)],
            pods=[NOT_FOUND],
        )
    )
    assert "Job" not in kinds(plan)
    assert condition(plan, "ModelResolved")[:2] == ("False", "ModelNotFound")


def test_the_longer_a_model_is_missing_the_longer_the_wait_for_a_retry() -> None:
    def wait_after(missing_for: float) -> float | None:
        job, pods = failed_resolve_job(0), [NOT_FOUND]
        first = planned(world(UNPINNED, children=[job], pods=pods), seconds=-missing_for)
        later = world(UNPINNED, first.status, children=[job], pods=pods)
        return planned(later).look_again

    assert wait_after(0) == 15
    assert wait_after(100) == 100
    assert wait_after(100_000) == 600


def test_the_wait_for_a_retry_ends() -> None:
    job, pods = failed_resolve_job(0), [NOT_FOUND]
    status = planned(world(UNPINNED, children=[job], pods=pods), seconds=-1).status
    waiting = world(UNPINNED, status, children=[job], pods=pods)
    assert planned(waiting, seconds=10).look_again == 5
    assert "Job" not in kinds(planned(waiting, seconds=16))


def test_a_retry_keeps_the_recorded_failure_and_its_time() -> None:
    pods = [NOT_FOUND]
    failed = planned(world(UNPINNED, children=[failed_resolve_job(0)], pods=pods)).status
    again = planned(world(UNPINNED, failed), seconds=15)
    assert "Job" in kinds(again)
    assert again.status == failed

    second = failed_resolve_job(-20)
    still = planned(world(UNPINNED, again.status, children=[second], pods=pods), seconds=20)
    assert still.look_again == 20


def test_a_changed_spec_does_not_keep_the_failure_of_the_former_one() -> None:
    pods = [NOT_FOUND]
    failed = planned(world(UNPINNED, children=[failed_resolve_job(0)], pods=pods)).status
    moved = replace(world(UNPINNED, failed), generation=4)
    assert condition(planned(moved), "ModelResolved")[:2] == ("Unknown", "Resolving")
