"""A new model takes over only when it is ready; a bad one never does."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.cluster import Namespace, Object, digest_of, wait_until
from support.load import ask, load
from support.models import adder_bundle

pytestmark = pytest.mark.cluster


@pytest.fixture
def serving(namespace: Namespace) -> Namespace:
    """Namespace in which the model adder(1) is served."""
    uri = namespace.cluster.put_model("updates/1", adder_bundle(1))
    namespace.cluster.put_model("updates/2", adder_bundle(2))
    namespace.deploy("adder", uri)
    namespace.wait_complete("adder")
    return namespace


def test_an_update_under_load_fails_no_request(serving: Namespace) -> None:
    serving.deploy("adder", "s3://models/updates/1/", replicas=2)
    serving.wait_complete("adder")
    with load(serving.address("adder"), "adder") as result:
        wait_until(lambda: result.answers[1] > 100)
        serving.deploy("adder", "s3://models/updates/2/", replicas=2)
        serving.wait_complete("adder", 90)
        seen = result.answers[2]
        wait_until(lambda: result.answers[2] > seen + 100)
    assert result.failures == []
    assert set(result.answers) == {1, 2}


def test_a_pod_that_is_deleted_under_load_fails_no_request(serving: Namespace) -> None:
    serving.deploy("adder", "s3://models/updates/1/", replicas=2)
    found = serving.wait_complete("adder")
    pods = serving.list("pods", found["status"]["selector"])
    with load(serving.address("adder"), "adder") as result:
        wait_until(lambda: result.sent > 100)
        serving.kubectl("delete", "pod", pods[0]["metadata"]["name"], "--wait=true")
        serving.wait_complete("adder", 90)
        seen = result.sent
        wait_until(lambda: result.sent > seen + 100)
    assert result.failures == []


BAD_UPDATES: list[Any] = [
    pytest.param(
        {"model": {"uri": "s3://models/updates/nothing/"}},
        "ModelNotFound",
        ["s3://models/updates/nothing/", "spec.model.uri"],
        id="wrong-uri",
    ),
    pytest.param(
        {"model": {"uri": "s3://models/updates/2/", "digest": digest_of(b"something else")}},
        "DigestMismatch",
        [digest_of(b"something else"), digest_of(adder_bundle(2)["bundle.json"])],
        id="wrong-digest",
    ),
    pytest.param(
        {"model": {"uri": "s3://models/updates/corrupt/model.onnx"}},
        "ModelCorrupt",
        ["s3://models/updates/corrupt/model.onnx"],
        id="corrupt-file",
    ),
    pytest.param(
        {"model": {"secretRef": {"name": "nobody"}}},
        "ContainerConfigError",
        ["nobody", "spec.model.secretRef"],
        id="missing-secret",
    ),
    pytest.param(
        {"model": {"uri": "http://127.0.0.1:9/model.onnx"}},
        "StoreUnreachable",
        ["http://127.0.0.1:9/model.onnx"],
        id="unreachable-store",
    ),
    pytest.param(
        {"serving": {"image": "localhost/no-such-image:1"}},
        "ImagePullFailed",
        ["localhost/no-such-image:1", "spec.serving.image"],
        id="unpullable-image",
    ),
    pytest.param(
        {"serving": {"resources": {"requests": {"cpu": "1000"}}}},
        "Unschedulable",
        ["Insufficient cpu", "spec.serving.resources"],
        id="unschedulable-pod",
    ),
    pytest.param(
        {"serving": {"resources": {"limits": {"memory": "6Mi"}}}},
        "OutOfMemory",
        ["limits.memory"],
        id="out-of-memory",
    ),
    pytest.param(
        {"serving": {"scheduling": {"nodeSelector": {"bad key!": "x"}}}},
        "ApplyRefused",
        ["bad key!"],
        id="refused-by-the-api-server",
    ),
]


@pytest.mark.parametrize(("change", "reason", "told"), BAD_UPDATES)
def test_a_bad_update_reports_the_cause_and_the_old_model_continues_to_serve(
    serving: Namespace, change: Object, reason: str, told: list[str]
) -> None:
    serving.cluster.put_model("updates/corrupt", {"model.onnx": b"no model at all"})
    stable = serving.get("mdep", "adder")["status"]["stable"]
    with load(serving.address("adder"), "adder", connections=1) as result:
        serving.patch("mdep", "adder", {"spec": change})
        condition = serving.wait_for("adder", "Progressing", reason, "False", seconds=120)
    for words in told:
        assert words in condition["message"]
    assert f"{stable['name']} keeps serving" in condition["message"]
    assert serving.get("mdep", "adder")["status"]["stable"] == stable
    assert serving.condition("adder", "Ready")["status"] == "True"
    assert result.failures == []
    assert set(result.answers) == {1}


def test_a_reverted_bad_update_leaves_no_trace(serving: Namespace) -> None:
    before = serving.get("mdep", "adder")["status"]["stable"]
    serving.patch("mdep", "adder", {"spec": {"serving": {"image": "localhost/no-such-image:1"}}})
    serving.wait_for("adder", "Progressing", "ImagePullFailed")
    serving.patch("mdep", "adder", {"spec": {"serving": None}})
    after = serving.wait_complete("adder")
    assert after["status"]["stable"] == before
    assert "candidate" not in after["status"]
    wait_until(lambda: len(serving.list("deployments")) == 1)


def test_a_model_that_is_uploaded_later_is_found_without_a_change_of_the_spec(
    namespace: Namespace,
) -> None:
    path = f"late/{namespace.name}"
    namespace.deploy("adder", f"s3://models/{path}/")
    namespace.wait_for("adder", "ModelResolved", "ModelNotFound", "False")
    namespace.cluster.put_model(path, adder_bundle(9))
    namespace.wait_complete("adder", 90)
    assert ask(namespace.address("adder"), "adder") == 9


def test_a_return_to_the_previous_model_reuses_its_deployment(serving: Namespace) -> None:
    first = serving.get("mdep", "adder")["status"]["stable"]
    serving.patch("mdep", "adder", {"spec": {"model": {"uri": "s3://models/updates/2/"}}})
    serving.wait_complete("adder", 90)
    serving.patch("mdep", "adder", {"spec": {"model": {"uri": "s3://models/updates/1/"}}})
    back = serving.wait_complete("adder", 90)
    assert back["status"]["stable"]["name"] == first["name"]
    assert ask(serving.address("adder"), "adder") == 1


@contextmanager
def watched(namespace: Namespace, name: str) -> Iterator[list[Object]]:
    """Record every version of a ModelDeployment with ``kubectl get --watch``."""
    seen: list[Object] = []
    process = subprocess.Popen(
        [
            "kubectl",
            f"--kubeconfig={namespace.cluster.kubeconfig}",
            *("-n", namespace.name, "get", "mdep", name, "--watch", "-o", "json"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )

    def read() -> None:
        assert process.stdout
        decoder, text = json.JSONDecoder(), ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                seen.append(decoder.decode(text))
                text = ""

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        process.terminate()
        process.wait()
        reader.join()
        assert process.stdout
        process.stdout.close()


def test_kubectl_get_is_correct_at_every_moment_of_a_good_and_a_bad_rollout(
    serving: Namespace,
) -> None:
    first = serving.get("mdep", "adder")["status"]["stable"]["name"]
    with watched(serving, "adder") as versions:
        wait_until(lambda: versions)
        serving.patch("mdep", "adder", {"spec": {"model": {"uri": "s3://models/updates/2/"}}})
        second = serving.wait_complete("adder", 90)["status"]["stable"]["name"]
        serving.patch("mdep", "adder", {"spec": {"model": {"uri": "s3://models/none/"}}})
        serving.wait_for("adder", "Progressing", "ModelNotFound", "False")
        last = serving.get("mdep", "adder")["metadata"]["resourceVersion"]
        wait_until(lambda: versions[-1]["metadata"]["resourceVersion"] == last)

    told = []
    for version in versions:
        status = version["status"]
        conditions = {each["type"]: each for each in status["conditions"]}
        behind = status["observedGeneration"] < version["metadata"]["generation"]
        # The model answered all the time, and there was always a pod that did.
        assert conditions["Ready"]["status"] == "True"
        assert status["readyReplicas"] >= 1
        # All that is said is about one and the same generation.
        assert {each["observedGeneration"] for each in conditions.values()} == {
            status["observedGeneration"]
        }
        # Nobody hears "complete" while there is a candidate, or before the spec was looked at.
        if conditions["Progressing"]["reason"] == "Complete":
            assert "candidate" not in status
        if not behind:
            told.append((conditions["Progressing"]["reason"], status["stable"]["name"]))

    story = [step for index, step in enumerate(told) if index == 0 or told[index - 1] != step]
    assert story == [
        ("Complete", first),
        ("ResolvingModel", first),
        ("StartingCandidate", first),
        ("Retiring", second),
        ("Complete", second),
        ("ResolvingModel", second),
        ("ModelNotFound", second),
    ]
