import pytest
import yaml

from flights_demo import deployment
from flights_demo.errors import DemoError
from perennial_contracts.api.modeldeployment import ModelDeployment

URI, DIGEST = "s3://models/flights/2/", "sha256:" + "2" * 64


class FakeKubectl:
    """Fake kubectl that returns one state after the other, and then always the last."""

    def __init__(self, *states):
        self.states = list(states)
        self.pods = []

    def get(self, kind, *words):
        if kind == "pods":
            return {"items": self.pods}
        state, self.pods = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return state


def state(ready="True/Serving", progressing="False/Complete", generation=2, uri=URI, pods=()):
    conditions = [
        {
            "type": type_,
            "status": text.partition("/")[0],
            "reason": text.partition("/")[2],
            "message": f"{type_} says so.",
            "observedGeneration": generation,
        }
        for type_, text in (("Ready", ready), ("Progressing", progressing))
    ]
    stable = {"name": "new", "uri": uri, "digest": DIGEST}
    status = {"conditions": conditions, "stable": stable}
    return {"metadata": {"generation": 2}, "status": status}, list(pods)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(deployment, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(deployment, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(deployment, "LIMIT_SECONDS", 0.5)


def test_the_manifest_is_a_model_deployment_with_the_uri_that_the_demo_uploads_to():
    manifest = yaml.safe_load(deployment.MANIFEST.read_text())
    model = ModelDeployment.model_validate(manifest)
    assert model.spec.model.uri == deployment.FIRST_URI
    assert (manifest["metadata"]["name"], manifest["metadata"]["namespace"]) == (
        deployment.NAME,
        deployment.NAMESPACE,
    )


def test_it_waits_for_the_new_spec_the_new_model_and_the_end_of_the_old_pods():
    shown = []
    kubectl = FakeKubectl(
        state(generation=1),
        state(uri="s3://models/flights/1/"),
        state(progressing="True/StartingCandidate"),
        state(pods=["old"]),
        state(),
    )
    view = deployment.wait_until_served(kubectl, URI, DIGEST, shown.append)
    assert (view.revision, len(shown)) == ("new", 5)
    assert shown[0] == "Ready Unknown | no condition yet"
    assert "the last pods of the previous revision are ending" in shown[3]


def test_a_temporary_failure_does_not_stop_the_demo():
    failing = state(progressing="False/StoreUnreachable")
    view = deployment.wait_until_served(FakeKubectl(failing, failing, state()), URI, DIGEST)
    assert view.uri == URI


def test_a_lasting_failure_stops_the_demo_with_the_message_of_the_condition():
    kubectl = FakeKubectl(state(ready="False/NoReplicas", progressing="False/AccessDenied"))
    with pytest.raises(DemoError, match=r"AccessDenied: Progressing says so\."):
        deployment.wait_until_served(kubectl, URI, DIGEST)


def test_waiting_for_the_cluster_has_a_limit():
    kubectl = FakeKubectl(state(progressing="True/StartingCandidate"))
    with pytest.raises(DemoError, match="not served after"):
        deployment.wait_until_served(kubectl, URI, DIGEST)
