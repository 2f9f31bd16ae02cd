"""The pod that runs the runtime image: to serve a model, or only to look one up."""

from typing import Any

from perennial_contracts.modeldeployment import ModelDeploymentSpec, Serving
from perennial_contracts.outcome import TERMINATION_MESSAGE_PATH

from ..names import OWNER_ANNOTATION, child_name, model_labels
from ..objects import Object
from ..world import World

CONTAINER = "runtime"
HTTP_PORT = 8080
HTTP_PORT_NAME = "http"
USER = 65532
"""Numeric, so that runAsNonRoot can be checked by the kubelet."""
DRAIN_SECONDS = 5
"""How long a pod that was told to end goes on answering: until no proxy sends to it any more."""
GRACE_SECONDS = 30
"""How long requests in flight may still take then."""

_CACHE = "/var/cache/perennial"
_CLAIM = "/var/lib/perennial/model"
_TMP = "/tmp"


def pod_template(
    world: World,
    *,
    image: str,
    verb: str,
    uri: str,
    flags: list[str],
    labels: dict[str, str],
) -> Object:
    """A pod template: hardened, with the model's source and credentials at hand.

    The runtime is called as ``VERB URI FLAGS``; the verb ``serve`` adds port and probes.
    """
    spec = world.spec
    location, volume = _locate(uri)
    container: Object = {
        "name": CONTAINER,
        "image": image,
        "args": [verb, location, *flags],
        "env": [{"name": "PERENNIAL_CACHE_DIR", "value": _CACHE}],
        "resources": spec.serving.resources.model_dump(exclude_none=True),
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        # The last log line says more than nothing where the runtime could write no outcome.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "cache", "mountPath": _CACHE},
            {"name": "tmp", "mountPath": _TMP},
        ],
    }
    volumes: list[Object] = [
        {"name": "cache", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
    ]
    if spec.model.secretRef:
        container["envFrom"] = [{"secretRef": {"name": spec.model.secretRef.name}}]
    if volume:
        container["volumeMounts"].append({"name": "model", "mountPath": _CLAIM, "readOnly": True})
        volumes.append(volume)
    if verb == "serve":
        container |= _serving_parts()
    return {
        "metadata": {
            "labels": {**model_labels(world.name), **labels},
            "annotations": {OWNER_ANNOTATION: world.name},
        },
        "spec": {
            "serviceAccountName": child_name(world.name),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": volumes,
            **_placement(spec),
        },
    }


def _serving_parts() -> Object:
    return {
        "ports": [{"name": HTTP_PORT_NAME, "containerPort": HTTP_PORT, "protocol": "TCP"}],
        "readinessProbe": {
            "httpGet": {"path": "/v2/health/ready", "port": HTTP_PORT_NAME},
            "periodSeconds": 1,
            "failureThreshold": 3,
        },
        "livenessProbe": {
            "httpGet": {"path": "/v2/health/live", "port": HTTP_PORT_NAME},
            "initialDelaySeconds": 5,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    }


def _locate(uri: str) -> tuple[str, Object | None]:
    """The URI as the runtime sees it, and the volume that it needs for that."""
    scheme, _, rest = uri.partition("://")
    if scheme != "pvc":
        return uri, None
    claim, _, path = rest.partition("/")
    volume = {"name": "model", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
    return f"{_CLAIM}/{path}", volume


def _placement(spec: ModelDeploymentSpec) -> dict[str, Any]:
    serving: Serving = spec.serving
    placement = serving.scheduling.model_dump(exclude_none=True)
    if serving.imagePullSecrets:
        placement["imagePullSecrets"] = [secret.model_dump() for secret in serving.imagePullSecrets]
    return placement
