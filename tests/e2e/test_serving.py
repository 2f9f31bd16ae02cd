"""Apply, predict, scale, delete: the usual path."""

import json
import urllib.request
from pathlib import Path

import pytest
from support.cluster import Cluster, Namespace, digest_of, wait_until
from support.load import ask
from support.models import adder, adder_bundle

from perennial_images.archive import write_scratch_image

pytestmark = pytest.mark.cluster


def test_a_model_that_is_applied_answers_at_its_service(namespace: Namespace) -> None:
    uri = namespace.cluster.put_model("serving/bundle", adder_bundle(2))
    namespace.deploy("adder", uri, replicas=2)
    found = namespace.wait_complete("adder")

    status = found["status"]
    assert status["stable"]["digest"] == digest_of(adder_bundle(2)["bundle.json"])
    assert status["url"] == f"http://adder.{namespace.name}.svc"
    assert (status["replicas"], status["readyReplicas"]) == (2, 2)
    assert namespace.condition("adder", "Ready")["status"] == "True"
    assert ask(namespace.address("adder"), "adder", 40) == 42


def test_real_clients_call_the_service(namespace: Namespace) -> None:
    import numpy as np
    import tritonclient.http as triton

    uri = namespace.cluster.put_model("serving/clients", adder_bundle(3))
    namespace.deploy("adder", uri)
    namespace.wait_complete("adder")
    address = namespace.address("adder")

    client = triton.InferenceServerClient(f"{address}:80")
    try:
        assert client.is_server_ready()
        assert client.is_model_ready("adder")
        tensor = triton.InferInput("x", [2, 1], "FP32")
        tensor.set_data_from_numpy(np.array([[1], [2]], np.float32), binary_data=False)
        wanted = triton.InferRequestedOutput("y", binary_data=False)
        result = client.infer("adder", [tensor], outputs=[wanted])
        assert result.as_numpy("y").tolist() == [[4], [5]]
    finally:
        client.close()


def test_grpc_clients_call_the_service(namespace: Namespace) -> None:
    import numpy as np
    from support.clients import imported

    triton = imported("tritonclient.grpc")
    uri = namespace.cluster.put_model("serving/grpc", adder_bundle(4))
    namespace.deploy("adder", uri, serving={"batching": {"maxSize": 8}})
    namespace.wait_complete("adder")
    tensor = triton.InferInput("x", [2, 1], "FP32")
    tensor.set_data_from_numpy(np.array([[1], [2]], np.float32))
    for port in (80, 8081):
        with triton.InferenceServerClient(f"{namespace.address('adder')}:{port}") as client:
            assert client.is_model_ready("adder")
            assert client.infer("adder", [tensor]).as_numpy("y").tolist() == [[5], [6]]


def test_a_bare_onnx_file_is_served(namespace: Namespace) -> None:
    namespace.cluster.put_model("serving/bare", {"small.onnx": adder(5)})
    namespace.deploy("adder", "s3://models/serving/bare/small.onnx")
    found = namespace.wait_complete("adder")
    assert found["status"]["stable"]["digest"] == digest_of(adder(5))
    assert ask(namespace.address("adder"), "adder") == 5


def test_a_pinned_model_starts_without_a_lookup(namespace: Namespace) -> None:
    uri = namespace.cluster.put_model("serving/pinned", adder_bundle(6))
    digest = digest_of(adder_bundle(6)["bundle.json"])
    namespace.deploy("adder", uri, model={"digest": digest})
    namespace.wait_complete("adder")
    events = namespace.list("events")
    assert not [each for each in events if each["involvedObject"]["kind"] == "Job"]
    assert ask(namespace.address("adder"), "adder") == 6


def test_the_scale_subresource_adds_and_removes_replicas(namespace: Namespace) -> None:
    uri = namespace.cluster.put_model("serving/scale", adder_bundle(1))
    namespace.deploy("adder", uri)
    before = namespace.wait_complete("adder")
    namespace.kubectl("scale", "mdep/adder", "--replicas=2")
    after = namespace.wait_complete("adder")
    assert after["status"]["readyReplicas"] == 2
    assert after["status"]["stable"] == before["status"]["stable"]

    raw = f"/apis/perennial.dev/v1alpha1/namespaces/{namespace.name}/modeldeployments/adder/scale"
    scale = json.loads(namespace.cluster.kubectl("get", "--raw", raw))
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (2, 2)
    assert len(namespace.list("pods", scale["status"]["selector"])) == 2

    namespace.kubectl("scale", "mdep/adder", "--replicas=0")
    namespace.wait_for("adder", "Ready", "ScaledToZero")
    wait_until(lambda: not namespace.list("pods", scale["status"]["selector"]))


def test_deletion_deletes_every_child(namespace: Namespace) -> None:
    uri = namespace.cluster.put_model("serving/deleted", adder_bundle(1))
    namespace.deploy("adder", uri)
    namespace.wait_complete("adder")
    namespace.kubectl("delete", "mdep", "adder", "--wait=false")

    def left() -> list[str]:
        kinds = "mdep,deployments,replicasets,services,serviceaccounts,pdb,jobs,pods"
        return [
            f"{each['kind']}/{each['metadata']['name']}"
            for each in namespace.list(kinds)
            if each["metadata"]["name"] != "default"
        ]

    wait_until(lambda: not left(), 60, left)


def test_a_name_of_200_characters_gets_children_of_valid_length(namespace: Namespace) -> None:
    name = "a-very-long-name." + "x" * 183
    uri = namespace.cluster.put_model("serving/long", adder_bundle(7))
    namespace.deploy(name, uri)
    found = namespace.wait_complete(name)
    service = found["status"]["url"].removeprefix("http://").split(".")[0]
    assert len(service) == 63
    assert ask(namespace.address(service), name) == 7


def test_a_model_on_a_claim_is_served(namespace: Namespace, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("claim")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    (folder / "adder").mkdir()
    for path, data in adder_bundle(8).items():
        (folder / "adder" / path).write_bytes(data)
    volume = f"models-{namespace.name}"
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadOnlyMany"],
                "hostPath": {"path": str(folder)},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "models"},
            "spec": {
                "accessModes": ["ReadOnlyMany"],
                "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "",
                "volumeName": volume,
            },
        },
    )
    try:
        namespace.deploy("adder", "pvc://models/adder/", model={"secretRef": None})
        namespace.wait_complete("adder")
        assert ask(namespace.address("adder"), "adder") == 8
    finally:
        namespace.kubectl("delete", "mdep", "adder", "--wait=false")
        namespace.cluster.kubectl("delete", "pv", volume, "--wait=false")


def test_a_model_in_an_image_is_served(namespace: Namespace, tmp_path: Path) -> None:
    bundle = adder_bundle(9)
    for path, data in bundle.items():
        (tmp_path / path).write_bytes(data)
    image, archive = f"localhost/models/adder:{namespace.name}", tmp_path / "adder.oci.tar"
    files = {f"models/{path}": tmp_path / path for path in bundle}
    write_scratch_image(archive, image, files, entrypoint=[])
    namespace.cluster.load(archive)

    namespace.deploy("adder", f"oci://{image}/models/", model={"secretRef": None})
    found = namespace.wait_complete("adder")
    assert found["status"]["stable"]["digest"] == digest_of(bundle["bundle.json"])
    assert ask(namespace.address("adder"), "adder") == 9


def test_the_operator_serves_its_metrics(cluster: Cluster) -> None:
    pods = json.loads(
        cluster.kubectl("get", "pods", "-n", "perennial-system", "-o", "json", "-l", OPERATOR)
    )["items"]
    address = pods[0]["status"]["podIP"]
    with urllib.request.urlopen(f"http://{address}:9090/metrics", timeout=10) as response:
        text = response.read().decode()
    assert "perennial_operator_reconcile_seconds_count" in text
    assert "perennial_operator_queue_depth" in text


OPERATOR = "app.kubernetes.io/name=perennial-operator"
