from datetime import timedelta

from support.worlds import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    child,
    condition,
    ended,
    live_deployment,
    planned,
    revision,
    revision_pod,
    spec,
    world,
)

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.modeldeployment.plan import ModelDeploymentPlan
from perennial_operator.names import REVISION_LABEL

OLD, NEW = spec(replicas=2), spec(replicas=2, model={"digest": OTHER_DIGEST})


LONG_AGO = NOW - timedelta(hours=1)


STABLE = revision(OLD, since=LONG_AGO)


CANDIDATE = revision(NEW, OTHER_DIGEST)


def selected(plan: ModelDeploymentPlan) -> str:
    revision_: str = child(plan, "Service")["spec"]["selector"][REVISION_LABEL]
    return revision_


def replicas(plan: ModelDeploymentPlan) -> dict[str, int]:
    return {
        each["metadata"]["labels"][REVISION_LABEL]: each["spec"]["replicas"]
        for each in plan.children
        if each["kind"] == "Deployment"
    }


def updating(ready: int, **status: object):  # type: ignore[no-untyped-def]
    """Return a rollout in which some pods of the new revision are ready."""
    base = world(NEW)
    return world(
        NEW,
        ModelDeploymentStatus(stable=STABLE, candidate=CANDIDATE),
        children=[
            live_deployment(base, STABLE, 2, 2),
            live_deployment(base, CANDIDATE, 2, ready),
        ],
        pods=[revision_pod(CANDIDATE, **status)] if status else [],
    )


def test_the_first_revision_is_selected_before_it_is_ready() -> None:
    plan = planned(world(OLD))
    assert plan.status.candidate
    assert selected(plan) == plan.status.candidate.name
    assert plan.status.stable is None
    assert condition(plan, "Ready")[0] == "False"


def test_a_new_model_starts_beside_the_old_one_which_keeps_serving() -> None:
    around = world(
        NEW,
        ModelDeploymentStatus(stable=STABLE),
        children=[live_deployment(world(OLD), STABLE, 2, 2)],
    )
    plan = planned(around)
    assert selected(plan) == STABLE.name
    assert replicas(plan) == {STABLE.name: 2, CANDIDATE.name: 2}
    assert condition(plan, "Ready")[:2] == ("True", "Serving")
    assert condition(plan, "Progressing")[:2] == ("True", "StartingCandidate")


def test_the_service_does_not_switch_while_a_new_replica_is_missing() -> None:
    plan = planned(updating(ready=1))
    assert selected(plan) == STABLE.name
    assert "1 of 2 replicas are ready" in condition(plan, "Progressing")[2]


def test_the_service_switches_when_all_new_replicas_are_ready_and_the_old_pods_stay() -> None:
    plan = planned(updating(ready=2))
    assert selected(plan) == CANDIDATE.name
    assert plan.status.stable
    assert plan.status.stable.name == CANDIDATE.name
    assert plan.status.candidate is None
    assert replicas(plan) == {CANDIDATE.name: 2, STABLE.name: 2}
    assert plan.look_again == 5


def test_a_deployment_with_an_outdated_status_does_not_count_as_ready() -> None:
    around = updating(ready=2)
    around.deployment_of(CANDIDATE.name)["metadata"]["generation"] = 2  # type: ignore[index]
    assert selected(planned(around)) == STABLE.name


def test_the_old_pods_are_removed_once_all_proxies_must_know_of_the_switch() -> None:
    around = updating(ready=2)
    switched = world(NEW, planned(around).status, list(around.children.values()))
    assert replicas(planned(switched, seconds=4))[STABLE.name] == 2
    later = planned(switched, seconds=5)
    assert replicas(later) == {CANDIDATE.name: 2, STABLE.name: 0}
    assert condition(later, "Progressing")[:2] == ("True", "Retiring")


def test_a_failed_candidate_is_reported_and_does_not_affect_the_stable_revision() -> None:
    failure = ended(Outcome(reason="DigestMismatch", message="expected a, got b"))
    plan = planned(updating(ready=0, containerStatuses=failure))
    assert selected(plan) == STABLE.name
    assert replicas(plan)[STABLE.name] == 2
    assert condition(plan, "Ready")[:2] == ("True", "Serving")
    status, reason, message = condition(plan, "Progressing")
    assert (status, reason) == ("False", "DigestMismatch")
    assert "expected a, got b" in message
    assert f"{STABLE.name} keeps serving" in message
    assert condition(plan, "ModelResolved")[:2] == ("False", "DigestMismatch")


def test_a_spec_that_returns_to_the_stable_revision_drops_the_candidate() -> None:
    around = updating(ready=0)
    back = world(OLD, around.status, list(around.children.values()))
    plan = planned(back)
    assert plan.status.candidate is None
    assert replicas(plan) == {STABLE.name: 2}


def test_a_return_to_a_former_revision_scales_it_up_again() -> None:
    base = world(NEW)
    around = world(
        OLD,
        ModelDeploymentStatus(stable=CANDIDATE, previous=[STABLE]),
        children=[
            live_deployment(base, CANDIDATE, 2, 2),
            live_deployment(base, STABLE, 0, 0),
        ],
    )
    plan = planned(around, seconds=60)
    assert plan.status.candidate
    assert plan.status.candidate.name == STABLE.name
    assert replicas(plan) == {CANDIDATE.name: 2, STABLE.name: 2}
    assert selected(plan) == CANDIDATE.name


def test_two_former_revisions_are_kept_at_zero_and_older_ones_deleted() -> None:
    older = [revision(spec(replicas=2, serving={"image": f"r:{n}"})) for n in range(2)]
    around = updating(ready=2)
    around = world(
        NEW,
        around.status.model_copy(update={"previous": older}),
        list(around.children.values()),
    )
    plan = planned(around)
    assert [each.name for each in plan.status.previous] == [STABLE.name, older[0].name]


def test_stable_revision_and_candidate_both_get_the_replicas() -> None:
    around = updating(ready=1)
    more = world(
        spec(replicas=5, model={"digest": OTHER_DIGEST}),
        around.status,
        list(around.children.values()),
    )
    assert replicas(planned(more)) == {STABLE.name: 5, CANDIDATE.name: 5}


def test_a_revision_keeps_its_first_pod_template() -> None:
    around = updating(ready=1)
    live = around.deployment_of(STABLE.name)
    assert live is not None
    annotations = live["metadata"]["annotations"]
    annotations["perennial.dev/pod-template"] = '{"metadata":{},"spec":{"from":"before"}}'
    kept = child(planned(around), "Deployment", STABLE.name)
    assert kept["spec"]["template"]["spec"] == {"from": "before"}


def test_an_upgrade_with_another_default_image_changes_no_revision() -> None:
    around = world(
        OLD,
        ModelDeploymentStatus(stable=STABLE),
        children=[live_deployment(world(OLD), STABLE, 2, 2)],
    )
    plan = planned(around, image="runtime:2")
    assert plan.status.stable == STABLE
    assert plan.status.candidate is None
    assert plan.status.stable.digest == DIGEST
