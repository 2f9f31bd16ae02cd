"""Controller of Kueue on the tests' cluster, with its own manifests.

Its webhooks are left out. They would block every Job of the cluster while the controller is not
running, and a Job with a queue starts suspended here without them.
"""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from perennial_build import golang
from perennial_build.cache import cached
from perennial_build.golang import GoPart
from perennial_cluster.choice import choose
from perennial_images import archive
from perennial_images.store import store_root

from .cluster import Cluster, KubectlError, Object

MODULE = "sigs.k8s.io/kueue"
NAMESPACE = "kueue-system"
_PART = GoPart("kueue", Path(__file__).parent / "kueue", {"kueue": f"{MODULE}/cmd/kueue"})
_LEFT_OUT = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService")
_CONFIGURATION = {
    "apiVersion": "config.kueue.x-k8s.io/v1beta2",
    "kind": "Configuration",
    "namespace": NAMESPACE,
    "health": {"healthProbeBindAddress": ":8081"},
    "metrics": {"bindAddress": "0"},
    "leaderElection": {"leaderElect": False},
    "internalCertManagement": {"enable": False},
    "integrations": {"frameworks": ["batch/job"]},
}


def install(cluster: Cluster, name: str) -> None:
    """Install Kueue on the cluster ``name`` permanently, and wait until it is ready."""
    reference = _load_image(name)
    listing = ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", MODULE]
    source = subprocess.check_output(listing, cwd=_PART.folder, text=True).strip()
    manifests = cluster.kubectl("kustomize", f"{source}/config/default")
    objects = [_fitted(each, reference) for each in yaml.safe_load_all(manifests)]
    items = [each for each in objects if each["kind"] not in (*_LEFT_OUT, "Secret")]
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=body)
    _make_certificate(cluster)
    words = ["deployment/kueue-controller-manager", "-n", NAMESPACE, "--timeout=120s"]
    cluster.kubectl("rollout", "status", *words)


def queue(namespace: str, name: str, room: dict[str, str]) -> list[Object]:
    """Create a LocalQueue with room for pods with these requests at a time."""
    api = "kueue.x-k8s.io/v1beta2"
    quotas = [{"name": resource, "nominalQuota": amount} for resource, amount in room.items()]
    group = {
        "coveredResources": list(room),
        "flavors": [{"name": "any-node", "resources": quotas}],
    }
    return [
        {"apiVersion": api, "kind": "ResourceFlavor", "metadata": {"name": "any-node"}},
        {
            "apiVersion": api,
            "kind": "ClusterQueue",
            "metadata": {"name": namespace},
            "spec": {"namespaceSelector": {}, "resourceGroups": [group]},
        },
        {
            "apiVersion": api,
            "kind": "LocalQueue",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterQueue": namespace},
        },
    ]


def _load_image(name: str) -> str:
    tag = golang.part_hash(_PART)
    reference = f"localhost/perennial-test-kueue:{tag}"

    def write(target: Path) -> None:
        program = golang.build(_PART) / "kueue"
        archive.write_scratch_image(target, reference, {"kueue": program}, ["/kueue"])

    choose().load(name, cached(store_root() / f"kueue-{tag}.oci.tar", write))
    return reference


def _fitted(obj: Object, reference: str) -> Object:
    if obj["kind"] == "CustomResourceDefinition":
        obj["spec"].pop("conversion", None)
    elif obj["kind"] == "ConfigMap":
        obj["data"] = {"controller_manager_config.yaml": json.dumps(_CONFIGURATION)}
    elif obj["kind"] == "Deployment":
        (container,) = obj["spec"]["template"]["spec"]["containers"]
        container |= {"image": reference, "imagePullPolicy": "IfNotPresent", "command": ["/kueue"]}
        container["resources"]["requests"] = {"cpu": "50m", "memory": "64Mi"}
        container["args"].append("--feature-gates=VisibilityOnDemand=false")
        certificates: Any = {"mountPath": "/etc/kueue/metrics/certs", "name": "cert"}
        container["volumeMounts"].append(certificates)
    return obj


def _make_certificate(cluster: Cluster) -> None:
    """Create the certificate of the controller's servers, which nothing calls."""
    secret = "kueue-webhook-server-cert"
    try:
        cluster.kubectl("get", "secret", secret, "-n", NAMESPACE)
        return
    except KubectlError:
        pass
    with TemporaryDirectory() as folder:
        key, certificate = f"{folder}/key", f"{folder}/certificate"
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
        out = ["-keyout", key, "-out", certificate, "-subj", "/CN=kueue", "-days", "3650"]
        subprocess.run(["openssl", "req", "-x509", *new, *out], check=True, capture_output=True)
        files = [f"--key={key}", f"--cert={certificate}"]
        cluster.kubectl("create", "secret", "tls", secret, "-n", NAMESPACE, *files)
