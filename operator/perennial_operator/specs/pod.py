"""The pod that runs the runtime image: to serve a model, or only to look one up."""

from perennial_contracts.wire.names import HTTP_PORT
from perennial_contracts.wire.outcome import TERMINATION_MESSAGE_PATH

from ..names import OWNER_ANNOTATION, child_name, model_labels
from ..objects import Object
from ..revision import serving_secret
from ..world import World
from .pod_parts import TMP, confined, hardened, locate, placement

CONTAINER = "runtime"
HTTP_PORT_NAME = "http"
DRAIN_SECONDS = 5
"""How long a pod that was told to end goes on answering: until no proxy sends to it any more."""
GRACE_SECONDS = 30
"""How long requests in flight may still take then."""

_CACHE = "/var/cache/perennial"
_CLAIM = "/var/lib/perennial/model"
_CAPTURE = "/var/lib/perennial/capture"


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

    The runtime is called as ``VERB URI FLAGS``; the verb ``serve`` adds port, probes and capture.
    """
    spec = world.spec
    location, claim = locate(uri, _CLAIM)
    container: Object = {
        "name": CONTAINER,
        "image": image,
        "args": [verb, location, *flags],
        "env": [{"name": "PERENNIAL_CACHE_DIR", "value": _CACHE}],
        "resources": spec.serving.resources.model_dump(exclude_none=True),
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        # The last log line says more than nothing where the runtime could write no outcome.
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
    if secret := serving_secret(spec, uri):
        container["envFrom"] = [{"secretRef": {"name": secret.name}}]
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
