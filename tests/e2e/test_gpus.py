"""GPU requests reach the real scheduler, on a node with one GPU in its status."""

import json
from collections.abc import Iterator

import pytest
from support.cluster import Cluster, Namespace, wait_until
from support.models import adder_bundle

pytestmark = pytest.mark.cluster

PATH = "/status/capacity/nvidia.com~1gpu"


@pytest.fixture
def one_gpu(cluster: Cluster) -> Iterator[None]:
    """Node of the cluster with one GPU in its status, as from a device plugin."""
    node = cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")

    def patch(operation: dict[str, str]) -> None:
        words = ["patch", "node", node, "--subresource=status", "--type=json", "-p"]
        cluster.kubectl(*words, json.dumps([operation]))

    patch({"op": "add", "path": PATH, "value": "1"})
    yield
    patch({"op": "remove", "path": PATH})


@pytest.mark.usefixtures("one_gpu")
def test_one_model_gets_the_gpu_and_the_next_waits_with_a_reason(
    namespace: Namespace,
) -> None:
    uri = namespace.cluster.put_model("gpus/1", adder_bundle(1))
    gpu = {"resources": {"limits": {"nvidia.com/gpu": 1}}}
    namespace.deploy("first", uri, serving=gpu)
    namespace.wait_complete("first")

    namespace.deploy("second", uri, serving=gpu)
    condition = namespace.wait_for("second", "Progressing", "Unschedulable", "False")
    assert "Insufficient nvidia.com/gpu" in condition["message"]
    assert "Free a GPU or add a node with one" in condition["message"]
    assert namespace.condition("second", "Ready")["status"] == "False"
    assert namespace.condition("second", "ModelResolved")["status"] == "True"

    namespace.kubectl("delete", "mdep", "first")
    namespace.wait_complete("second", 90)
    (pod,) = wait_until(
        lambda: [
            pod
            for pod in namespace.list("pods", "perennial.dev/model=second")
            if pod["status"]["phase"] == "Running"
        ]
    )
    limits = pod["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"nvidia.com/gpu": "1"}
