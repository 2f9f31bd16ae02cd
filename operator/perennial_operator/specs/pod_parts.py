"""What the pods of the runtime and of the trainer have in common."""

import re
from typing import Any

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.pod_settings import Scheduling
from perennial_contracts.wire.names import RETRY_EXIT_CODE

from ..objects import Object

USER = 65532
"""Numeric, so that runAsNonRoot can be checked by the kubelet."""
TMP = "/tmp"
FAIL_AT_ONCE: Object = {
    "rules": [
        # The first rule that fits counts: a container that is stopped with its node exits with
        # 143 or 137, too, and no fault of its own.
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
"""The podFailurePolicy of Jobs: what no attempt will mend is not tried again, memory that does not
suffice among it; a pod that its node gave up is made anew and does not count."""

_IMAGE = re.compile("([^/]+/[^:@]+[:@][^/]+)/(.*)")


def hardened(service_account: str) -> Object:
    """The part of a pod's spec that keeps it from doing what it need not do."""
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
    """The securityContext of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": read_only,
    }


def placement(scheduling: Scheduling, pull_secrets: list[LocalReference] | None) -> dict[str, Any]:
    """Where a pod may run, and how its images are pulled."""
    placed: dict[str, Any] = scheduling.model_dump(exclude_none=True)
    if pull_secrets:
        placed["imagePullSecrets"] = [secret.model_dump() for secret in pull_secrets]
    return placed


def pull_secrets(
    uri: str, own: list[LocalReference] | None, serving: list[LocalReference] | None
) -> list[LocalReference]:
    """With which the images of a Job's pod are pulled: a model that lies in one (``oci://``) is
    pulled with those of spec.serving too."""
    secrets = [*(own or ()), *((serving or ()) if uri.startswith("oci://") else ())]
    return list({secret.name: secret for secret in secrets}.values())


def without_devices(resources: Object) -> Object:
    """Resources without GPUs and the like, for what must not wait for one."""
    return {
        kind: {name: amount for name, amount in quantities.items() if "/" not in name}
        for kind, quantities in resources.items()
    }


def locate(uri: str, mount: str, *, read_only: bool = True) -> tuple[str, Object | None]:
    """The URI as a container sees it, and what is to be mounted at ``mount`` for that.

    A claim (``pvc://CLAIM/PATH``) or an image (``oci://IMAGE/PATH``), whose files the kubelet
    mounts without running it; all other URIs are the container's own matter.
    """
    scheme, _, rest = uri.partition("://")
    if scheme == "oci":
        image, path = _split_image(rest)
        # What is served is held to its digest, so a tag that moved is no reason to pull again.
        return f"{mount}/{path}", {"image": {"reference": image, "pullPolicy": "IfNotPresent"}}
    if scheme != "pvc":
        return uri, None
    claim, _, path = rest.partition("/")
    return f"{mount}/{path}", {"persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}


def _split_image(text: str) -> tuple[str, str]:
    """An image and the path in it, which begins at the first slash after the tag or the digest.

    >>> _split_image("registry:5000/models/delays:1/bundle/")
    ('registry:5000/models/delays:1', 'bundle/')
    """
    match = _IMAGE.fullmatch(text)
    return (match[1], match[2]) if match else (text, "")
