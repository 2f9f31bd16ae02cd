"""Plans of which the API server rejects a child, once or several times."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import loops, worlds
from support.fake_cluster import FakeApi, FakeCluster
from support.worlds import OTHER_DIGEST

from perennial_contracts.api.modeldeployment import ROLLBACK_ANNOTATION
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retraining import PROMOTE_ANNOTATION, RETRAIN_ANNOTATION
from perennial_contracts.api.retrainjob_status import RetrainJobStatus
from perennial_contracts.api.training_backend import TrainingBackend
from perennial_operator.api import ApiError
from perennial_operator.objects import (
    CLAIM,
    DEPLOYMENT,
    JOB,
    RETRAIN_JOB,
    Key,
    Kind,
    Object,
)
from perennial_operator.world import World

FIVE_WINDOWS: dict[str, Any] = {
    "drift": {"minSamples": 100, "consecutive": 5},
    "quality": {"metric": "accuracy", "minLabels": 100, "consecutive": 5},
}


def refuses_deployments(kind: Kind, obj: Object) -> bool:
    return kind is DEPLOYMENT


def monitored(*, quota: bool = True) -> FakeCluster:
    """Return a serving model whose Deployment is deleted and cannot be created."""
    of = loops.spec(monitoring=FIVE_WINDOWS)
    status = ModelDeploymentStatus(stable=worlds.revision(of))
    return FakeCluster(worlds.world(of, status), FakeApi(refuses_deployments if quota else None))


def test_five_retries_of_a_refused_deployment_count_one_window_once() -> None:
    cluster = monitored()
    cluster.count_window()
    for _ in range(5):
        cluster.reconcile(refused=True)
    assert cluster.status()["monitoring"]["labels"] == 1000
    assert cluster.status()["monitoring"]["drift"]["inputStreak"] == 1
    assert cluster.condition("DriftDetected") == ("False", "Shifting")
    assert cluster.condition("QualityDropped") == ("False", "BelowOnce")
    assert cluster.condition("Progressing") == ("False", "ApplyRefused")


def test_a_refused_plan_is_reported_as_one_event() -> None:
    cluster = monitored()
    for _ in range(5):
        cluster.reconcile(refused=True)
    assert len(cluster.api.statuses) == 1
    assert Counter(cluster.api.reasons())["ApplyRefused"] == 1


def test_monitoring_continues_while_a_plan_is_refused() -> None:
    cluster = monitored()
    for window in (1, 2, 3):
        cluster.count_window()
        for _ in range(3):
            cluster.reconcile(refused=True)
        assert cluster.status()["monitoring"]["labels"] == window * 1000
        assert cluster.status()["monitoring"]["quality"]["streak"] == window
    cluster.api.refuses = lambda kind, obj: False
    for _ in range(3):
        cluster.reconcile()
    assert cluster.status()["monitoring"]["labels"] == 3000
    assert cluster.status()["monitoring"]["quality"]["streak"] == 3
    assert cluster.condition("QualityDropped") == ("False", "BelowOnce")


def test_a_run_that_was_refused_starts_later_although_its_window_is_closed() -> None:
    of = loops.spec()
    around = worlds.world(of, ModelDeploymentStatus(stable=worlds.revision(of)))
    cluster = FakeCluster(around, FakeApi(lambda kind, obj: kind is RETRAIN_JOB))
    cluster.count_window()
    for _ in range(3):
        cluster.reconcile(refused=True)
    assert cluster.condition("QualityDropped") == ("True", "Dropped")
    assert "retraining" not in cluster.status()
    cluster.api.refuses = lambda kind, obj: False
    cluster.reconcile()
    (run,) = cluster.status()["retraining"]["runs"]
    assert (run["trigger"], run["outcome"]) == ("QualityDrop", "Running")
    assert ("RetrainJob", run["job"]) in cluster.api.objects
    assert Counter(cluster.api.reasons())["RetrainStarted"] == 1
    assert cluster.status()["monitoring"]["labels"] == 1000


def test_an_operator_that_restarts_while_a_plan_is_refused_reads_the_counters() -> None:
    cluster = monitored()
    cluster.reconcile(refused=True)
    assert cluster.targets.due(1e9)


def test_a_window_is_counted_once_when_no_event_can_be_posted() -> None:
    class Silent(FakeApi):
        async def post_event(self, namespace: str, event: Object) -> None:
            raise ConnectionError("the connection was closed")

    cluster = monitored(quota=False)
    cluster.api.__class__ = Silent
    cluster.count_window()
    with pytest.raises(ConnectionError):
        cluster.reconcile()
    cluster.reconcile()
    assert cluster.status()["monitoring"]["labels"] == 1000


def test_a_window_stays_open_until_its_result_is_written() -> None:
    class Broken(FakeApi):
        async def apply(self, kind: Kind, obj: Object, subresource: str = "") -> Object:
            raise ApiError(500, "InternalError", "no leader")

    cluster = monitored(quota=False)
    cluster.api.__class__ = Broken
    cluster.count_window()
    for _ in range(3):
        with pytest.raises(ApiError):
            cluster.reconcile()
    cluster.api.__class__ = FakeApi
    cluster.reconcile()
    assert cluster.status()["monitoring"]["labels"] == 1000
    assert cluster.status()["monitoring"]["drift"]["inputStreak"] == 1


def rollout(ready: int) -> World:
    """Return a model in the middle of an update."""
    old, new = worlds.spec(), worlds.spec(model={"digest": OTHER_DIGEST})
    stable, candidate = worlds.revision(old), worlds.revision(new, OTHER_DIGEST)
    base = worlds.world(new)
    return worlds.world(
        new,
        ModelDeploymentStatus(stable=stable, candidate=candidate),
        [
            worlds.live_deployment(base, stable, 1, 1),
            worlds.live_deployment(base, candidate, 1, ready),
        ],
    )


def update() -> World:
    around = rollout(0)
    status = around.status.model_copy(update={"candidate": None})
    return replace(around, status=status, children={})


PREVIOUS = {"previous": [worlds.revision(loops.spec(), digest=OTHER_DIGEST)]}


SCENARIOS: dict[str, World] = {
    "first revision": worlds.world(),
    "lookup": worlds.world(worlds.spec(model={"digest": None})),
    "update": update(),
    "candidate is ready": rollout(1),
    "candidate is not ready": rollout(0),
    "challenger": loops.world(runs=(loops.accepted(),)),
    "approved": loops.world(
        loops.spec({"promotion": "Manual"}),
        runs=(loops.accepted(),),
        annotations={PROMOTE_ANNOTATION: "delays-1"},
    ),
    "rejected": loops.world(runs=(loops.rejected(),)),
    "rollback": loops.world(annotations={ROLLBACK_ANNOTATION: "1"}, status=PREVIOUS),
    "nothing to roll back": loops.world(annotations={ROLLBACK_ANNOTATION: "1"}),
    "by hand": loops.world(annotations={RETRAIN_ANNOTATION: "please"}),
    "quality": loops.world(dropped=True),
}


DECIDED = {"stable", "candidate", "previous", "url", "promoted", "rollbackRequest", "retraining"}


@cache
def accepted_at_once(scenario: str) -> FakeCluster:
    cluster = FakeCluster(SCENARIOS[scenario])
    cluster.reconcile()
    return cluster


def other_events(cluster: FakeCluster) -> Counter[tuple[str, str]]:
    """Return the events apart from the refusal, by reason and message."""
    events = [(each["reason"], each["message"]) for each in cluster.api.events]
    return Counter(each for each in events if each[0] != "ApplyRefused")


@given(st.sampled_from(sorted(SCENARIOS)), st.data(), st.integers(1, 4))
def test_a_plan_that_is_accepted_later_decides_the_same_and_reports_it_once(
    scenario: str, data: st.DataObject, attempts: int
) -> None:
    expected = accepted_at_once(scenario)
    writes = [(kind, name) for verb, kind, name in expected.api.requests if verb != "delete"]
    refused = data.draw(st.sampled_from(writes))
    before = SCENARIOS[scenario].status.model_dump(exclude_none=True)
    api = FakeApi(lambda kind, obj: (kind.name, obj["metadata"]["name"]) == refused)
    cluster = FakeCluster(SCENARIOS[scenario], api)
    for _ in range(attempts):
        cluster.reconcile(refused=True)
        assert {field: cluster.status().get(field) for field in DECIDED} == {
            field: before.get(field) for field in DECIDED
        }
    assert cluster.condition("Progressing") == ("False", "ApplyRefused")
    api.refuses = lambda kind, obj: False
    cluster.reconcile()
    assert cluster.status() == expected.status()
    assert other_events(cluster) == other_events(expected)
    assert Counter(api.reasons())["ApplyRefused"] == 1
    written = Counter(each for each in api.requests if each[0] != "delete")
    assert all(count == 1 for count in written.values())


def test_a_refusal_during_a_promotion_describes_the_revision_that_still_serves() -> None:
    around = rollout(1)
    stable = around.status.stable
    assert stable is not None
    three = worlds.live_deployment(around, stable, 3, 3)
    around.children["Deployment", three["metadata"]["name"]] = three
    cluster = FakeCluster(around, FakeApi(lambda kind, obj: kind.name == "Service"))
    cluster.reconcile(refused=True)
    assert cluster.status()["stable"]["name"] == stable.name
    assert cluster.status()["selector"].endswith(stable.name)
    assert (cluster.status()["replicas"], cluster.status()["readyReplicas"]) == (3, 3)


def test_a_refused_plan_keeps_the_conditions_that_report_decisions() -> None:
    recorded = [
        loops.condition_of("ModelResolved", "True", "Pinned", "as before"),
        loops.condition_of("Retraining", "False", "Cooldown", "as before"),
    ]
    around = loops.world(runs=(loops.accepted(),), status={"conditions": recorded})
    cluster = FakeCluster(around, FakeApi(refuses_deployments))
    cluster.reconcile(refused=True)
    messages = {each["type"]: each["message"] for each in cluster.status()["conditions"]}
    assert messages["ModelResolved"] == messages["Retraining"] == "as before"
    assert not {"Pinned", "Promoted", "Cooldown", "Running"} & set(cluster.api.reasons())


def test_a_promotion_happens_and_is_reported_only_when_the_refusal_ends() -> None:
    cluster = FakeCluster(SCENARIOS["challenger"], FakeApi(refuses_deployments))
    cluster.reconcile(refused=True)
    assert "promoted" not in cluster.status()
    assert not {"RetrainPromoted", "Promoted"} & set(cluster.api.reasons())
    cluster.api.refuses = lambda kind, obj: False
    cluster.now += timedelta(hours=5)
    cluster.reconcile()
    assert cluster.status()["promoted"]["digest"] == OTHER_DIGEST
    assert Counter(cluster.api.reasons())["RetrainPromoted"] == 1


RUN = Key("default", "delays-1", RETRAIN_JOB.name)


def new_run(**spec: Any) -> FakeCluster:
    """Return a run that has recorded its champion and has no children yet."""
    of = loops.spec(monitoring={"capture": {"uri": "s3://models/capture/"}})
    run = loops.live_run(RUN.name)
    fresh = replace(
        run, spec=run.spec.model_copy(update=spec), status=RetrainJobStatus(conditions=[])
    )
    cluster = FakeCluster(loops.world(of, runs=(fresh,)))
    cluster.reconcile(RUN)
    return cluster


STAGED = TrainingBackend.model_validate(
    {"type": "TrainJob", "runtimeRef": {"name": "torch"}, "workspace": {"size": "5Gi"}}
)


@pytest.mark.parametrize(
    ("backend", "refused"),
    [(None, JOB), (STAGED, CLAIM), (STAGED, JOB)],
    ids=["the Job", "the claim of a TrainJob", "the Job after its claim"],
)
def test_a_run_whose_child_is_refused_starts_when_it_is_accepted(
    backend: TrainingBackend | None, refused: Kind
) -> None:
    cluster = new_run(**({"backend": backend} if backend else {}))
    recorded = cluster.api.objects["RetrainJob", RUN.name]["status"]
    cluster.api.refuses = lambda kind, obj: kind is refused
    for _ in range(3):
        cluster.reconcile(RUN, refused=True)
    status = cluster.api.objects["RetrainJob", RUN.name]["status"]
    assert status["conditions"][-1]["reason"] == "ApplyRefused"
    assert status["conditions"][-1]["status"] == "Unknown"
    cluster.api.refuses = lambda kind, obj: False
    cluster.reconcile(RUN)
    assert cluster.api.objects["RetrainJob", RUN.name]["status"] == recorded
    assert ("Job", RUN.name) in cluster.api.objects
    assert cluster.api.reasons() == ["Starting", "ApplyRefused", "Starting"]


def test_every_field_of_the_status_is_either_observed_or_decided() -> None:
    observed = {
        "observedGeneration", "conditions", "resolution", "detected", "monitoring", "replicas",
        "readyReplicas", "selector",
    }  # fmt: skip
    assert observed | DECIDED == set(ModelDeploymentStatus.model_fields)
    assert not observed & DECIDED
