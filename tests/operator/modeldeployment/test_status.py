from datetime import timedelta

from support.worlds import (
    IMAGES,
    NOW,
    OTHER_DIGEST,
    condition,
    ended,
    live_deployment,
    planned,
    revision,
    revision_pod,
    spec,
    world,
)

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.diagnosis import Diagnosis
from perennial_operator.modeldeployment.plan import ModelDeploymentPlan, decide, refused
from perennial_operator.modeldeployment.status import events
from perennial_operator.world import World


def serving(of: ModelDeploymentSpec, ready: int, existing: int | None = None) -> World:
    stable = revision(of, since=NOW - timedelta(hours=1))
    deployment = live_deployment(world(of), stable, of.replicas, ready)
    deployment["status"]["replicas"] = of.replicas if existing is None else existing
    return world(of, ModelDeploymentStatus(stable=stable), children=[deployment])


def test_all_replicas_are_ready() -> None:
    plan = planned(serving(spec(replicas=2), ready=2))
    assert condition(plan, "Ready") == ("True", "Serving", "2 of 2 replicas are ready.")
    assert condition(plan, "Progressing")[:2] == ("False", "Complete")
    assert (plan.status.replicas, plan.status.readyReplicas) == (2, 2)
    assert plan.look_again is None


def test_fewer_replicas_than_wanted_still_serve() -> None:
    plan = planned(serving(spec(replicas=3), ready=1))
    assert condition(plan, "Ready")[:2] == ("True", "FewerReplicas")
    assert condition(plan, "Progressing")[:2] == ("True", "Scaling")


def test_a_model_without_ready_replicas_is_not_ready() -> None:
    plan = planned(serving(spec(replicas=1), ready=0))
    assert condition(plan, "Ready")[:2] == ("False", "NoReplicas")


def test_a_model_with_zero_wanted_replicas_is_not_ready() -> None:
    plan = planned(serving(spec(replicas=0), ready=0))
    assert condition(plan, "Ready")[:2] == ("False", "ScaledToZero")
    assert condition(plan, "Progressing")[:2] == ("False", "Complete")


def test_a_replica_that_finds_no_gpu_is_reported_while_the_other_serves() -> None:
    of = spec(replicas=2, serving={"resources": {"limits": {"nvidia.com/gpu": 1}}})
    around = serving(of, ready=1)
    stuck = revision_pod(
        revision(of),
        conditions=[
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
            }
        ],
    )
    plan = planned(world(of, around.status, list(around.children.values()), [stuck]))
    assert condition(plan, "Ready")[:2] == ("True", "FewerReplicas")
    assert condition(plan, "Progressing")[:2] == ("False", "Unschedulable")
    assert "nvidia.com/gpu" in condition(plan, "Ready")[2]


def test_a_refused_child_is_reported_in_the_condition() -> None:
    refusal = Diagnosis("ApplyRefused", "The API server refuses the Deployment: bad.")
    around = serving(spec(), ready=1)
    plan = refused(around, decide(around, IMAGES, NOW), refusal, NOW)
    status, reason, message = condition(plan, "Progressing")
    assert (status, reason) == ("False", "ApplyRefused")
    assert "keeps serving" in message


def test_a_refused_promotion_reports_the_resolution_of_the_new_model() -> None:
    old, new = spec(), spec(model={"digest": OTHER_DIGEST})
    stable, candidate = revision(old), revision(new, OTHER_DIGEST)
    corrupt = Outcome(reason="ModelCorrupt", message="no bundle")
    around = world(
        new,
        ModelDeploymentStatus(stable=stable, candidate=candidate),
        [live_deployment(world(new), candidate, 1, 1)],
        [revision_pod(stable, containerStatuses=ended(corrupt))],
    )
    refusal = Diagnosis("ApplyRefused", "The API server rejects the Service: bad.")
    plan = refused(around, decide(around, IMAGES, NOW), refusal, NOW)
    assert condition(plan, "Ready")[:2] == ("False", "NoReplicas")
    assert condition(plan, "ModelResolved")[:2] == ("True", "Pinned")


def test_each_sentence_of_a_condition_ends_with_a_full_stop() -> None:
    of, changed = spec(), spec(serving={"accelerator": "Cuda"})
    around = serving(of, ready=1)
    failure = Outcome(reason="ModelCorrupt", message="bad. Fix: publish it")
    sick = revision_pod(revision(changed), containerStatuses=ended(failure))
    plan = planned(world(changed, around.status, list(around.children.values()), [sick]))
    assert condition(plan, "Progressing")[2] == (
        f"bad. Fix: publish it. Revision {revision(of).name} keeps serving."
    )


def test_every_condition_has_the_observed_generation() -> None:
    plan = planned(world())
    assert plan.status.observedGeneration == 3
    assert {each.observedGeneration for each in plan.status.conditions} == {3}


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    first = planned(world())
    second = planned(world(status=first.status), seconds=60)
    assert [each.lastTransitionTime for each in first.status.conditions] == [
        each.lastTransitionTime for each in second.status.conditions
    ]


def test_an_unchanged_world_gives_the_same_status_again() -> None:
    around = serving(spec(), ready=1)
    once = planned(around).status
    again = planned(world(spec(), once, list(around.children.values())), seconds=3600)
    assert again.status == once
    assert events(once, again.status) == []


def reasons(before: ModelDeploymentPlan, after: ModelDeploymentPlan) -> list[str]:
    return [event.reason for event in events(before.status, after.status)]


def test_events_report_each_transition_once() -> None:
    fewer, all_ = (planned(serving(spec(replicas=2), ready=ready)) for ready in (1, 2))
    assert reasons(fewer, all_) == ["Serving", "Complete"]
    assert reasons(all_, all_) == []


def test_a_promotion_is_an_event() -> None:
    before = ModelDeploymentStatus()
    after = planned(serving(spec(), ready=1)).status
    assert "Promoted" in [event.reason for event in events(before, after)]


def test_the_selector_selects_the_pods_that_an_autoscaler_counts() -> None:
    of = spec()
    plan = planned(serving(of, ready=1))
    assert plan.status.selector == (
        f"perennial.dev/model=delays,perennial.dev/revision={revision(of).name}"
    )
