"""Training as a TrainJob, with the controllers of Kubeflow Trainer and JobSet."""

import json
import os
import shutil

import pytest
from support import kubeflow
from support.cluster import NAME, Cluster, Namespace, Object
from support.looping import Loop, succeeded

from perennial_cluster.install import image_references

pytestmark = [
    pytest.mark.cluster,
    # The controllers are built for the first one.
    pytest.mark.timeout(2400),
]


@pytest.fixture(scope="module")
def trainer_image(cluster: Cluster) -> str:
    """Built-in trainer image. Skip on a cluster that only pulls images."""
    if os.environ.get("PERENNIAL_KUBECONFIG"):
        pytest.skip("no image can be loaded into a cluster that is not the tests' own")
    if shutil.which("go") is None:
        pytest.skip("Kubeflow Trainer and JobSet are built with Go, which is not on PATH")
    return image_references()["trainer"]


@pytest.fixture
def loop(namespace: Namespace, trainer_image: str) -> Loop:
    """Model with captured rows, and a volume for one run."""
    loop = Loop(namespace)
    loop.deploy_quietly()
    loop.capture_rows()
    namespace.apply(*_volume(namespace.name, trainer_image))
    namespace.kubectl("wait", "job/open-the-volume", "--for=condition=Complete", "--timeout=60s")
    return loop


def test_a_run_waits_for_trainer_and_is_then_trained_by_it_to_a_decision(
    loop: Loop, cluster: Cluster, trainer_image: str
) -> None:
    kubeflow.remove(cluster)
    loop.run_by_hand("staged", backend=_backend(loop))
    run = loop.wait_for_run("staged", "TrainerNotInstalled", ended=False)
    assert "kubectl apply --server-side -k" in succeeded(run)["message"]
    assert loop.namespace.list("jobs", "perennial.dev/run=staged") == []

    kubeflow.install(cluster, NAME)
    with kubeflow.runtime(cluster, loop.namespace.name, trainer_image):
        run = loop.wait_for_decision("staged", 300)
    assert _conditions(run) == dict.fromkeys(
        ("Assembled", "Trained", "Judged", "Succeeded"), "True"
    )
    assert run["status"]["challenger"]["digest"].startswith("sha256:")
    (trained,) = loop.namespace.list("trainjob")
    assert _conditions(trained)["Complete"] == "True"


def test_the_failure_message_of_a_custom_trainer_is_reported_by_the_run(
    loop: Loop, cluster: Cluster, trainer_image: str
) -> None:
    kubeflow.install(cluster, NAME)
    said = json.dumps({"reason": "LossIsNan", "message": "the loss is NaN after 3 steps."})
    script = f"open('/dev/termination-log', 'w').write({said!r}); raise SystemExit(1)"
    backend = {**_backend(loop), "command": ["python3", "-c", script]}
    with kubeflow.runtime(cluster, loop.namespace.name, trainer_image):
        loop.run_by_hand("broken", backend=backend, image=trainer_image)
        run = loop.wait_for_run("broken", "LossIsNan")
    assert _conditions(run) == {
        "Assembled": "True",
        "Trained": "False",
        "Judged": "Unknown",
        "Succeeded": "False",
    }
    assert succeeded(run)["message"] == "the loss is NaN after 3 steps."


def _backend(loop: Loop) -> Object:
    name = loop.namespace.name
    workspace = {"size": "1Gi", "storageClassName": name}
    return {"type": "TrainJob", "runtimeRef": {"name": name}, "workspace": workspace}


def _volume(name: str, image: str) -> list[Object]:
    """Return a volume from a folder of the node, and a Job that makes it writable.

    Kubernetes removes such a folder with its claim if it is in /tmp.
    """
    folder = {"path": f"/tmp/perennial-{name}", "type": "DirectoryOrCreate"}
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": name,
        "hostPath": folder,
    }
    container = {
        "name": "open",
        "image": image,
        "command": ["python3", "-c", "import os; os.chmod('/folder', 0o777)"],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "folder", "mountPath": "/folder"}],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "folder", "hostPath": folder}],
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": spec,
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "open-the-volume"},
            "spec": {"template": {"spec": pod}},
        },
    ]


def _conditions(obj: Object) -> dict[str, str]:
    """Return the conditions of an object: type to status."""
    return {each["type"]: each["status"] for each in obj["status"]["conditions"]}
