from support.artifacts import NOT_FOUND, UNPINNED, failed_resolve_job, planned
from support.worlds import (
    OTHER_DIGEST,
    condition,
    ended,
    kinds,
    resolver_pod,
    spec,
    world,
)

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus, Resolution
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.revision import source_name
from perennial_operator.specs import resolve_job


def test_an_unpinned_model_is_resolved_before_anything_is_served() -> None:
    plan = planned(world(UNPINNED))
    assert kinds(plan) == ["ServiceAccount", "Job"]
    assert condition(plan, "ModelResolved")[:2] == ("Unknown", "Resolving")
    assert condition(plan, "Progressing")[:2] == ("True", "ResolvingModel")
    assert condition(plan, "Ready")[:2] == ("False", "NoReplicas")


def test_a_resolved_digest_is_recorded_and_served_and_the_job_deleted() -> None:
    found = resolver_pod(UNPINNED, containerStatuses=ended(Outcome(digest=OTHER_DIGEST), code=0))
    plan = planned(world(UNPINNED, pods=[found]))
    assert plan.status.resolution
    assert plan.status.resolution.digest == OTHER_DIGEST
    assert "Job" not in kinds(plan)
    assert "Deployment" in kinds(plan)


def test_a_recorded_digest_stays_pinned() -> None:
    recorded = Resolution(source=source_name(UNPINNED.model), digest=OTHER_DIGEST)
    plan = planned(world(UNPINNED, ModelDeploymentStatus(resolution=recorded)))
    assert plan.status.candidate
    assert plan.status.candidate.digest == OTHER_DIGEST
    assert "Job" not in kinds(plan)


def test_a_changed_uri_is_resolved_again() -> None:
    recorded = Resolution(source=source_name(UNPINNED.model), digest=OTHER_DIGEST)
    moved = spec(model={"digest": None, "uri": "s3://models/delays/2/"})
    plan = planned(world(moved, ModelDeploymentStatus(resolution=recorded)))
    assert "Job" in kinds(plan)
    assert plan.status.resolution is None


def test_a_failed_job_reports_its_cause_and_is_retried_later() -> None:
    plan = planned(
        world(
            UNPINNED,
            children=[failed_resolve_job(5)],
            pods=[NOT_FOUND],
        )
    )
    assert condition(plan, "ModelResolved")[:2] == ("False", "ModelNotFound")
    assert condition(plan, "Progressing")[:2] == ("False", "ModelNotFound")
    assert "nothing there" in condition(plan, "Ready")[2]
    assert "Job" in kinds(plan)
    assert plan.look_again == 10


def test_the_job_requests_no_gpu() -> None:
    greedy = spec(
        model={"digest": None},
        serving={"resources": {"limits": {"nvidia.com/gpu": 1, "memory": "1Gi"}}},
    )
    job = resolve_job.build(world(greedy), "runtime:1")
    limits = job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "1Gi"}
