"""The operator when it is killed, disturbed, paused and idle."""

import json
import re
import time
import urllib.request

import pytest
from support.cluster import Cluster, Namespace, Object, wait_until
from support.load import ask
from support.models import adder_bundle

from perennial_cluster import install
from perennial_cluster.kubectl import Kubectl

pytestmark = pytest.mark.cluster

SYSTEM = "perennial-system"
OPERATOR = "app.kubernetes.io/name=perennial-operator"


def operator_pods(cluster: Cluster, namespace: str = SYSTEM) -> list[Object]:
    words = ["get", "pods", "-n", namespace, "-l", OPERATOR, "-o", "json"]
    items: list[Object] = json.loads(cluster.kubectl(*words))["items"]
    return items


def serve(namespace: Namespace, amount: int) -> None:
    uri = namespace.cluster.put_model(f"operator/{amount}", adder_bundle(amount))
    namespace.deploy("adder", uri)


@pytest.mark.alone
def test_an_operator_that_is_killed_in_the_middle_of_a_rollout_finishes_it(
    namespace: Namespace,
) -> None:
    serve(namespace, 1)
    namespace.wait_complete("adder")
    serve(namespace, 2)
    namespace.wait_for("adder", "Progressing", "StartingCandidate")
    (pod,) = operator_pods(namespace.cluster)
    namespace.cluster.kubectl(
        "delete", "pod", pod["metadata"]["name"], "-n", SYSTEM, "--grace-period=0", "--force"
    )
    assert ask(namespace.address("adder"), "adder") == 1
    namespace.wait_complete("adder", 90)
    assert ask(namespace.address("adder"), "adder") == 2


@pytest.mark.parametrize("kind", ["deployment", "service", "serviceaccount", "pdb"])
def test_a_child_that_is_deleted_by_hand_is_recreated(namespace: Namespace, kind: str) -> None:
    serve(namespace, 1)
    namespace.wait_complete("adder")
    (child,) = namespace.list(kind, "perennial.dev/model=adder")
    name, uid = child["metadata"]["name"], child["metadata"]["uid"]
    namespace.kubectl("delete", kind, name, "--wait=false")

    def back() -> bool:
        found = namespace.list(kind, "perennial.dev/model=adder")
        return bool(found) and found[0]["metadata"]["uid"] != uid

    wait_until(back)
    namespace.wait_for("adder", "Ready", "Serving", "True")
    assert ask(namespace.address("adder"), "adder") == 1


def test_changes_by_hand_are_reverted(namespace: Namespace) -> None:
    serve(namespace, 1)
    stable = namespace.wait_complete("adder")["status"]["stable"]["name"]
    namespace.patch("service", "adder", {"spec": {"selector": {"perennial.dev/revision": "x"}}})
    namespace.patch("pdb", "adder", {"spec": {"maxUnavailable": 0}})
    namespace.kubectl("scale", f"deployment/adder-{stable}", "--replicas=3")

    def put_right() -> bool:
        service, budget = namespace.get("service", "adder"), namespace.get("pdb", "adder")
        deployment = namespace.get("deployment", f"adder-{stable}")
        return (
            service["spec"]["selector"]["perennial.dev/revision"] == stable
            and budget["spec"]["maxUnavailable"] == 1
            and deployment["spec"]["replicas"] == 1
        )

    wait_until(put_right)


def test_an_object_with_another_owner_is_not_changed(namespace: Namespace) -> None:
    namespace.kubectl("create", "service", "clusterip", "adder", "--tcp=80:80")
    before = namespace.get("service", "adder")
    serve(namespace, 1)
    condition = namespace.wait_for("adder", "Progressing", "NameTaken", "False")
    assert "Service adder exists" in condition["message"]
    after = namespace.get("service", "adder")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]

    namespace.kubectl("delete", "service", "adder")
    namespace.wait_complete("adder", 90)


def test_the_annotation_pauses_the_operator(namespace: Namespace) -> None:
    serve(namespace, 1)
    namespace.wait_complete("adder")
    namespace.kubectl("annotate", "mdep/adder", "perennial.dev/paused=true")
    namespace.kubectl("delete", "pdb", "adder")
    namespace.kubectl("scale", "mdep/adder", "--replicas=2")
    # Another resource, applied later and complete, shows that the operator has had its turn.
    uri = namespace.cluster.put_model("operator/1", adder_bundle(1))
    namespace.deploy("other", uri)
    namespace.wait_complete("other")
    assert namespace.list("pdb", "perennial.dev/model=adder") == []
    assert namespace.get("mdep", "adder")["status"]["replicas"] == 1

    namespace.kubectl("annotate", "mdep/adder", "perennial.dev/paused-")
    namespace.wait_complete("adder")
    assert namespace.get("mdep", "adder")["status"]["replicas"] == 2
    assert namespace.list("pdb", "perennial.dev/model=adder") != []


def requests_of(pod: Object) -> dict[tuple[str, str], float]:
    """Return the operator's requests so far, by verb and kind."""
    url = f"http://{pod['status']['podIP']}:9090/metrics"
    with urllib.request.urlopen(url, timeout=10) as response:
        text = response.read().decode()
    counts: dict[tuple[str, str], float] = {}
    pattern = r'perennial_operator_api_requests_total\{code="\d+",kind="(\w+)",verb="(\w+)"\} (\S+)'
    for kind, verb, count in re.findall(pattern, text):
        counts[verb, kind] = counts.get((verb, kind), 0) + float(count)
    return counts


@pytest.mark.alone
def test_an_idle_operator_sends_no_requests(namespace: Namespace) -> None:
    serve(namespace, 1)
    for number in range(10):
        namespace.deploy(
            f"idle-{number}", "s3://models/operator/1/", replicas=0, model={"digest": DIGEST}
        )
    for number in range(10):
        namespace.wait_complete(f"idle-{number}")
    namespace.wait_complete("adder")
    # What other tests left is still going away, and the operator has to do with that.
    wait_until(lambda: not namespaces_that_go(namespace.cluster), 180)
    (pod,) = operator_pods(namespace.cluster)
    before = requests_of(pod)
    time.sleep(15)
    assert requests_of(pod) == before


DIGEST = "sha256:" + "0" * 64


def namespaces_that_go(cluster: Cluster) -> str:
    going = "--field-selector=status.phase=Terminating"
    return cluster.kubectl("get", "namespaces", "-o", "name", going)


@pytest.mark.alone
def test_an_operator_for_one_namespace_needs_no_cluster_role_and_manages_only_that(
    cluster: Cluster,
) -> None:
    kubectl, images = Kubectl(cluster.kubeconfig), install.image_references()
    cluster.kubectl("scale", "deployment/perennial-operator", "-n", SYSTEM, "--replicas=0")
    try:
        wait_until(lambda: not operator_pods(cluster))
        with cluster.namespace() as mine, cluster.namespace() as other:
            uri = cluster.put_model("operator/5", adder_bundle(5))
            install.install_operator(kubectl, images, mine.name)
            mine.deploy("adder", uri)
            other.deploy("adder", uri)
            mine.wait_complete("adder")
            assert ask(mine.address("adder"), "adder") == 5
            assert "status" not in other.get("mdep", "adder")
            bindings = cluster.kubectl("get", "clusterrolebindings", "-o", "json")
            assert mine.name not in bindings
    finally:
        install.install_operator(kubectl, images)
