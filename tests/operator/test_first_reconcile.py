"""Read this first: a model's way through the operator, from its creation to Ready."""

from support import worlds
from support.fake_cluster import FakeCluster


def test_a_new_model_serves_once_its_pods_are_ready() -> None:
    cluster = FakeCluster(worlds.world())

    # The first reconciliation creates everything that the model needs.
    cluster.reconcile()
    created = [kind for _, kind, _ in cluster.api.requests]
    assert created == ["ServiceAccount", "Service", "PodDisruptionBudget", "Deployment"]
    assert cluster.condition("ModelResolved") == ("True", "Pinned")
    assert cluster.condition("Progressing") == ("True", "StartingCandidate")
    assert cluster.condition("Ready") == ("False", "NoReplicas")

    # Once Kubernetes reports its pods as ready, the candidate becomes the stable revision.
    candidate = cluster.status()["candidate"]
    cluster.start_pods()
    cluster.reconcile()
    assert cluster.status()["stable"]["name"] == candidate["name"]
    assert "candidate" not in cluster.status()
    assert cluster.condition("Progressing") == ("False", "Complete")
    assert cluster.condition("Ready") == ("True", "Serving")
    assert cluster.status()["url"] == "http://delays.default.svc"

    # If nothing changes, the operator writes nothing.
    writes = len(cluster.api.requests) + len(cluster.api.statuses)
    cluster.reconcile()
    assert len(cluster.api.requests) + len(cluster.api.statuses) == writes
