"""Build pods of the runtime image, which serve a model or resolve one."""

from perennial_contracts.wire.names import HTTP_PORT
from perennial_contracts.wire.outcome import TERMINATION_MESSAGE_PATH

from ..names import OWNER_ANNOTATION, child_name, model_labels
from ..objects import Object
from ..revision import ModelArtifact
from ..world import World
from .pod_parts import TMP, confined, hardened, locate, placement

CONTAINER = "runtime"
HTTP_PORT_NAME = "http"
DRAIN_SECONDS = 5
"""Seconds for which a terminating pod keeps serving, until no proxy sends requests to it."""
GRACE_SECONDS = 30
"""Seconds that requests in flight may take after that."""

_CACHE = "/var/cache/perennial"
_CLAIM = "/var/lib/perennial/model"
_CAPTURE = "/var/lib/perennial/capture"


def pod_template(
    world: World,
    *,
    image: str,
    verb: str,
    artifact: ModelArtifact,
    flags: list[str],
    labels: dict[str, str],
) -> Object:
    """Return a hardened pod template with the model and its credentials.

    The runtime is called as ``VERB URI FLAGS``. The verb ``serve`` adds port, probes and capture.
    """
    spec = world.spec
    location, claim = locate(artifact.uri, _CLAIM)
    container: Object = {
        "name": CONTAINER,
        "image": image,
        "args": [verb, location, *flags],
        "env": [{"name": "PERENNIAL_CACHE_DIR", "value": _CACHE}],
        "resources": spec.serving.resources.model_dump(exclude_none=True),
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        # If the runtime could not write an outcome, its last log lines show the cause.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": confined(),
        "volumeMounts": [
            {"name": "cache", "mountPath": _CACHE},
            {"name": "tmp", "mountPath": TMP},
        ],
    }
    volumes: list[Object] = [
        {"name": "cache", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
    ]
    if artifact.secret:
        container["envFrom"] = [{"secretRef": {"name": artifact.secret.name}}]
    if claim:
        container["volumeMounts"].append({"name": "model", "mountPath": _CLAIM, "readOnly": True})
        volumes.append({"name": "model", **claim})
    if verb == "serve":
        container |= _serving_parts()
        _add_capture(world, container, volumes)
    return {
        "metadata": {
            "labels": {**model_labels(world.name), **labels},
            "annotations": {OWNER_ANNOTATION: world.name},
        },
        "spec": {
            **hardened(child_name(world.name)),
            "containers": [container],
            "volumes": volumes,
            **placement(spec.serving.scheduling, spec.serving.imagePullSecrets),
        },
    }


def _add_capture(world: World, container: Object, volumes: list[Object]) -> None:
    capture = world.spec.monitoring.capture if world.spec.monitoring else None
    if not capture:
        return
    location, claim = locate(capture.uri, _CAPTURE, read_only=False)
    container["args"] += [
        "--capture",
        location,
        "--capture-permille",
        str(capture.samplePermille),
        "--capture-flush-seconds",
        str(capture.flushSeconds),
    ]
    if claim:
        container["volumeMounts"].append({"name": "capture", "mountPath": _CAPTURE})
        volumes.append({"name": "capture", **claim})


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
