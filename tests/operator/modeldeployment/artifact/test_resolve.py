from dataclasses import replace
from datetime import timedelta

from support.worlds import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    condition,
    ended,
    kinds,
    planned,
    resolver_pod,
    spec,
    world,
)

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus, Resolution
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.clock import to_text
from perennial_operator.objects import Object
from perennial_operator.revision import source_name
from perennial_operator.specs import resolve_job

UNPINNED = spec(model={"digest": None})
NOT_FOUND = ended(Outcome(reason="ModelNotFound", message="nothing there"))


def failed_job(seconds_ago: float) -> Object:
    job = resolve_job.build(world(UNPINNED), "runtime:1")
    moment = to_text(NOW - timedelta(seconds=seconds_ago))
    failed = {"type": "Failed", "status": "True", "lastTransitionTime": moment}
    job["status"] = {"conditions": [failed]}
    return job


def test_a_pinned_model_needs_no_lookup() -> None:
    plan = planned(world(spec()))
    assert "Job" not in kinds(plan)
    assert plan.status.candidate
    assert plan.status.candidate.digest == DIGEST
    assert condition(plan, "ModelResolved")[:2] == ("True", "Pinned")


def test_an_unpinned_model_is_looked_up_before_anything_is_served() -> None:
    plan = planned(world(UNPINNED))
    assert kinds(plan) == ["ServiceAccount", "Job"]
    assert condition(plan, "ModelResolved")[:2] == ("Unknown", "Resolving")
    assert condition(plan, "Progressing")[:2] == ("True", "ResolvingModel")
    assert condition(plan, "Ready")[:2] == ("False", "NoReplicas")


def test_a_digest_that_was_found_is_recorded_and_served_and_the_lookup_goes() -> None:
    found = resolver_pod(UNPINNED, containerStatuses=ended(Outcome(digest=OTHER_DIGEST), code=0))
    plan = planned(world(UNPINNED, pods=[found]))
    assert plan.status.resolution
    assert plan.status.resolution.digest == OTHER_DIGEST
    assert "Job" not in kinds(plan)
    assert "Deployment" in kinds(plan)


def test_a_recorded_digest_is_held_to() -> None:
    recorded = Resolution(source=source_name(UNPINNED.model), digest=OTHER_DIGEST)
    plan = planned(world(UNPINNED, ModelDeploymentStatus(resolution=recorded)))
    assert plan.status.candidate
    assert plan.status.candidate.digest == OTHER_DIGEST
    assert "Job" not in kinds(plan)


def test_another_uri_is_looked_up_anew() -> None:
    recorded = Resolution(source=source_name(UNPINNED.model), digest=OTHER_DIGEST)
    moved = spec(model={"digest": None, "uri": "s3://models/delays/2/"})
    plan = planned(world(moved, ModelDeploymentStatus(resolution=recorded)))
    assert "Job" in kinds(plan)
    assert plan.status.resolution is None


def test_a_failed_lookup_says_why_and_is_tried_again_later() -> None:
    plan = planned(
        world(
            UNPINNED,
            children=[failed_job(5)],
            pods=[resolver_pod(UNPINNED, containerStatuses=NOT_FOUND)],
        )
    )
    assert condition(plan, "ModelResolved")[:2] == ("False", "ModelNotFound")
    assert condition(plan, "Progressing")[:2] == ("False", "ModelNotFound")
    assert "nothing there" in condition(plan, "Ready")[2]
    assert "Job" in kinds(plan)
    assert plan.look_again == 10


def test_after_the_wait_the_failed_lookup_is_removed_to_make_room_for_the_next() -> None:
    plan = planned(
        world(
            UNPINNED,
            children=[failed_job(16)],
            pods=[resolver_pod(UNPINNED, containerStatuses=NOT_FOUND)],
        )
    )
    assert "Job" not in kinds(plan)
    assert condition(plan, "ModelResolved")[:2] == ("False", "ModelNotFound")


def test_the_longer_a_model_is_missing_the_longer_the_wait_for_the_next_lookup() -> None:
    def wait_after(missing_for: float) -> float | None:
        job, pods = failed_job(0), [resolver_pod(UNPINNED, containerStatuses=NOT_FOUND)]
        first = planned(world(UNPINNED, children=[job], pods=pods), seconds=-missing_for)
        later = world(UNPINNED, first.status, children=[job], pods=pods)
        return planned(later).look_again

    assert wait_after(0) == 15
    assert wait_after(100) == 100
    assert wait_after(100_000) == 600


def test_the_wait_for_the_next_lookup_comes_to_its_end() -> None:
    job, pods = failed_job(0), [resolver_pod(UNPINNED, containerStatuses=NOT_FOUND)]
    status = planned(world(UNPINNED, children=[job], pods=pods), seconds=-1).status
    waiting = world(UNPINNED, status, children=[job], pods=pods)
    assert planned(waiting, seconds=10).look_again == 5
    assert "Job" not in kinds(planned(waiting, seconds=16))


def test_a_model_that_is_looked_up_again_is_still_missing_and_since_the_same_time() -> None:
    pods = [resolver_pod(UNPINNED, containerStatuses=NOT_FOUND)]
    failed = planned(world(UNPINNED, children=[failed_job(0)], pods=pods)).status
    again = planned(world(UNPINNED, failed), seconds=15)
    assert "Job" in kinds(again)
    assert again.status == failed

    second = failed_job(-20)
    still = planned(world(UNPINNED, again.status, children=[second], pods=pods), seconds=20)
    assert still.look_again == 20


def test_a_changed_spec_does_not_inherit_the_failure_of_the_one_before() -> None:
    pods = [resolver_pod(UNPINNED, containerStatuses=NOT_FOUND)]
    failed = planned(world(UNPINNED, children=[failed_job(0)], pods=pods)).status
    moved = replace(world(UNPINNED, failed), generation=4)
    assert condition(planned(moved), "ModelResolved")[:2] == ("Unknown", "Resolving")


def test_a_lookup_asks_for_no_gpu() -> None:
    greedy = spec(
        model={"digest": None},
        serving={"resources": {"limits": {"nvidia.com/gpu": 1, "memory": "1Gi"}}},
    )
    job = resolve_job.build(world(greedy), "runtime:1")
    limits = job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "1Gi"}
