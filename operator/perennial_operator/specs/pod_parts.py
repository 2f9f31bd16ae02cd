"""Build the parts that pods of the runtime and of the trainer share."""

import re
from typing import Any

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.pod_settings import Scheduling
from perennial_contracts.wire.names import RETRY_EXIT_CODE

from ..objects import Object

USER = 65532
"""A number, since the kubelet cannot check runAsNonRoot for a name."""
TMP = "/tmp"
FAIL_AT_ONCE: Object = {
    "rules": [
        # The first rule that matches counts. The container of an evicted pod exits with 143 or 137,
        # too, and is not at fault.
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        },
        {
            "action": "FailJob",
            "onExitCodes": {"operator": "NotIn", "values": [0, RETRY_EXIT_CODE]},
        },
    ]
}
"""The podFailurePolicy of Jobs. Failures that every attempt would have are not retried, too little
memory among them. An evicted pod is replaced and does not count."""

_IMAGE = re.compile("([^/]+/[^:@]+[:@][^/]+)/(.*)")


def hardened(service_account: str) -> Object:
    """Return the part of a pod's spec that drops all rights that it does not need."""
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def confined(*, read_only: bool = True) -> Object:
    """Return the securityContext of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": read_only,
    }


def placement(scheduling: Scheduling, pull_secrets: list[LocalReference] | None) -> dict[str, Any]:
    """Return the part of a pod's spec about nodes and about pulling images."""
    placed: dict[str, Any] = scheduling.model_dump(exclude_none=True)
    if pull_secrets:
        placed["imagePullSecrets"] = [secret.model_dump() for secret in pull_secrets]
    return placed


def pull_secrets(
    uri: str, own: list[LocalReference] | None, serving: list[LocalReference] | None
) -> list[LocalReference]:
    """Return the pull secrets of a Job's pod.

    If the model is in an image (``oci://``), those of spec.serving are added.
    """
    secrets = [*(own or ()), *((serving or ()) if uri.startswith("oci://") else ())]
    return list({secret.name: secret for secret in secrets}.values())


def without_devices(resources: Object) -> Object:
    """Return resources without devices, for steps that must not wait for a GPU."""
    return {
        kind: {name: amount for name, amount in quantities.items() if "/" not in name}
        for kind, quantities in resources.items()
    }


def locate(uri: str, mount: str, *, read_only: bool = True) -> tuple[str, Object | None]:
    """Return the URI for a container, and the volume to mount at ``mount``.

    The volume is a claim (``pvc://CLAIM/PATH``) or an image (``oci://IMAGE/PATH``), whose files the
    kubelet mounts without running it. The container itself reads all other URIs, without a volume.
    """
    scheme, _, rest = uri.partition("://")
    if scheme == "oci":
        image, path = _split_image(rest)
        # The runtime verifies the digest of the model, so a tag that moved needs no new pull.
        return f"{mount}/{path}", {"image": {"reference": image, "pullPolicy": "IfNotPresent"}}
    if scheme != "pvc":
        return uri, None
    claim, _, path = rest.partition("/")
    return f"{mount}/{path}", {"persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}


def _split_image(text: str) -> tuple[str, str]:
    """Return an image and the path in it, which begins after the tag or the digest.

    >>> _split_image("registry:5000/models/delays:1/bundle/")
    ('registry:5000/models/delays:1', 'bundle/')
    """
    match = _IMAGE.fullmatch(text)
    return (match[1], match[2]) if match else (text, "")
