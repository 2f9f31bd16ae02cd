"""The training of a run is a TrainJob, made real by Kubeflow Trainer's and JobSet's controllers."""

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
def trainer_image() -> str:
    """The image of what is built in. No image can be loaded where the nodes only pull."""
    if os.environ.get("PERENNIAL_KUBECONFIG"):
        pytest.skip("no image can be loaded into a cluster that is not the tests' own")
    if shutil.which("go") is None:
        pytest.skip("Kubeflow Trainer and JobSet are built with Go, which is not on PATH")
    return image_references()["trainer"]


@pytest.fixture
def loop(namespace: Namespace, trainer_image: str) -> Loop:
    """A model with captured rows, and a volume for one run."""
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
    assert _told(run) == dict.fromkeys(("Assembled", "Trained", "Judged", "Succeeded"), "True")
    assert run["status"]["challenger"]["digest"].startswith("sha256:")
    (trained,) = loop.namespace.list("trainjob")
    assert _told(trained)["Complete"] == "True"


def test_what_a_trainer_of_ones_own_says_of_its_failure_is_told_by_the_run(
    loop: Loop, cluster: Cluster, trainer_image: str
) -> None:
    kubeflow.install(cluster, NAME)
    said = json.dumps({"reason": "LossIsNan", "message": "the loss is NaN after 3 steps."})
    script = f"open('/dev/termination-log', 'w').write({said!r}); raise SystemExit(1)"
    backend = {**_backend(loop), "command": ["python3", "-c", script]}
    with kubeflow.runtime(cluster, loop.namespace.name, trainer_image):
        loop.run_by_hand("broken", backend=backend, image=trainer_image)
        run = loop.wait_for_run("broken", "LossIsNan")
    assert _told(run) == {
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
    """A folder of the node as a volume, and a Job that lets everybody write there.

    Kubernetes removes such a folder with its claim, if it lies in /tmp.
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


def _told(obj: Object) -> dict[str, str]:
    """The conditions of an object: type to status."""
    return {each["type"]: each["status"] for each in obj["status"]["conditions"]}
