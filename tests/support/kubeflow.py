"""Controllers of Kubeflow Trainer and JobSet on the tests' cluster.

They are built from their Go modules, with their own manifests. Their webhooks are installed too,
because JobSet's completes a JobSet. They apply to objects of their own kinds and to pods of
JobSets, not to other pods.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from perennial_build import golang
from perennial_build.cache import cached
from perennial_build.golang import GoPart
from perennial_cluster.choice import choose
from perennial_images import archive
from perennial_images.store import store_root

from .cluster import Cluster, KubectlError, Object, wait_until

_CONFIGURATION = "controller_manager_config.yaml"


@dataclass(frozen=True)
class _Controller:
    """Controller with its own go.mod: the two need different controller-runtimes."""

    program: str
    module: str
    package: str
    namespace: str
    deployment: str
    secret: str
    """Secret with the certificate of its webhooks, which it creates itself."""

    @property
    def part(self) -> GoPart:
        folder = Path(__file__).parent / "kubeflow" / self.program
        return GoPart(self.program, folder, {self.program: self.package})

    def source(self) -> Path:
        """Return the folder of its module."""
        listing = ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", self.module]
        return Path(subprocess.check_output(listing, cwd=self.part.folder, text=True).strip())


_JOBSET = _Controller(
    program="jobset",
    module="sigs.k8s.io/jobset",
    package="sigs.k8s.io/jobset",
    namespace="jobset-system",
    deployment="jobset-controller-manager",
    secret="jobset-webhook-server-cert",
)
_TRAINER = _Controller(
    program="trainer",
    module="github.com/kubeflow/trainer/v2",
    package="github.com/kubeflow/trainer/v2/cmd/trainer-controller-manager",
    namespace="kubeflow-system",
    deployment="kubeflow-trainer-controller-manager",
    secret="kubeflow-trainer-webhook-cert",
)


def install(cluster: Cluster, name: str) -> None:
    """Install both on the cluster ``name``, and wait; they stay as long as it does."""
    items = []
    for controller, objects in ((_JOBSET, _jobset(cluster)), (_TRAINER, _trainer(cluster))):
        reference = _load_image(name, controller)
        items += [_fitted(each, controller, reference) for each in objects]
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=body)
    for controller in (_JOBSET, _TRAINER):
        _start(cluster, controller)
    for each in (_job_set("probe"), _training_runtime("probe", "none")):
        wait_until(partial(_is_accepted, cluster, each))


def remove(cluster: Cluster) -> None:
    """Remove Trainer from a cluster if an earlier run of the tests installed it."""
    options = ("--ignore-not-found", "--timeout=60s")
    where = (_TRAINER.deployment, "-n", _TRAINER.namespace)
    cluster.kubectl("delete", "deployment", *where, *options)
    cluster.kubectl("delete", "crd", "trainjobs.trainer.kubeflow.org", *options)


@contextmanager
def runtime(cluster: Cluster, name: str, image: str) -> Iterator[None]:
    """Create a ClusterTrainingRuntime of one node, and delete it after the block."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(_training_runtime(name, image)))
    try:
        yield
    finally:
        cluster.kubectl("delete", "clustertrainingruntime", name, "--wait=false")


def _training_runtime(name: str, image: str) -> Object:
    pod = {"containers": [{"name": "node", "image": image}], "restartPolicy": "Never"}
    node = {
        "name": "node",
        "template": {
            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
            "spec": {"backoffLimit": 0, "template": {"spec": pod}},
        },
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "ClusterTrainingRuntime",
        "metadata": {"name": name},
        "spec": {"mlPolicy": {"numNodes": 1}, "template": {"spec": {"replicatedJobs": [node]}}},
    }


def _job_set(name: str) -> Object:
    runtime = _training_runtime(name, "none")
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": runtime["spec"]["template"]["spec"],
    }


def _is_accepted(cluster: Cluster, obj: Object) -> bool:
    """Return whether the API server reaches the webhooks of an object.

    A Deployment is ready before kube-proxy routes its Service to the new pod. Until then a request
    meets no pod, or one that has ended, and the API server gives up after 10 s.
    """
    try:
        cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(obj))
    except KubectlError as error:
        if "failed calling webhook" in str(error):
            return False
        raise
    return True


def _start(cluster: Cluster, controller: _Controller) -> None:
    """Wait until it is ready.

    The first pod creates the certificate, and then polls for it less and less often, in a volume
    that the kubelet updates periodically; another pod finds it at once.
    """
    where = ("-n", controller.namespace)
    deployment = f"deployment/{controller.deployment}"
    ready = cluster.kubectl("get", deployment, *where, "-o", "jsonpath={.status.readyReplicas}")
    if not ready:
        made = "--for=jsonpath={.data.tls\\.crt}"
        cluster.kubectl("wait", f"secret/{controller.secret}", *where, made, "--timeout=120s")
        cluster.kubectl("rollout", "restart", deployment, *where)
    cluster.kubectl("rollout", "status", deployment, *where, "--timeout=240s")


def _load_image(name: str, controller: _Controller) -> str:
    program, part = controller.program, controller.part
    tag = golang.part_hash(part)
    reference = f"localhost/perennial-test-{program}:{tag}"

    def write(target: Path) -> None:
        files = {program: golang.build(part) / program}
        archive.write_scratch_image(target, reference, files, [f"/{program}"])

    choose().load(name, cached(store_root() / f"{program}-controller-{tag}.oci.tar", write))
    return reference


def _jobset(cluster: Cluster) -> list[Object]:
    return _rendered(cluster, _JOBSET.source() / "config" / "default")


def _trainer(cluster: Cluster) -> list[Object]:
    """Return the resources of Trainer's overlay without JobSet, which it downloads."""
    with TemporaryDirectory() as folder:
        # kustomize takes a path with a host's name in it for a repository.
        Path(folder, "base").symlink_to(_TRAINER.source() / "manifests" / "base")
        kustomization = {
            "namespace": _TRAINER.namespace,
            "resources": [f"base/{each}" for each in ("crds", "manager", "rbac", "webhook")],
        }
        Path(folder, "kustomization.yaml").write_text(json.dumps(kustomization))
        rendered = _rendered(cluster, Path(folder))
    secret = {"name": _TRAINER.secret, "namespace": _TRAINER.namespace}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _TRAINER.namespace}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret},
        *rendered,
    ]


def _rendered(cluster: Cluster, folder: Path) -> list[Object]:
    return list(yaml.safe_load_all(cluster.kubectl("kustomize", str(folder))))


def _fitted(obj: Object, controller: _Controller, reference: str) -> Object:
    if obj["kind"] == "ConfigMap":
        configuration = yaml.safe_load(obj["data"][_CONFIGURATION])
        configuration["leaderElection"] = {"leaderElect": False}
        obj["data"] = {_CONFIGURATION: json.dumps(configuration)}
    elif obj["kind"] == "Deployment":
        (container,) = obj["spec"]["template"]["spec"]["containers"]
        container |= {
            "image": reference,
            "imagePullPolicy": "IfNotPresent",
            "command": [f"/{controller.program}"],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        }
        # By default they are checked for the first time after 5 or 10 s, and then every 10 or 15 s.
        container["readinessProbe"] |= {"initialDelaySeconds": 1, "periodSeconds": 1}
    return obj
