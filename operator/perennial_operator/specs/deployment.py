"""Build the Deployment of one revision."""

import json

from perennial_contracts.api.common import GROUP
from perennial_contracts.api.modeldeployment_status import Revision
from perennial_contracts.wire.names import HTTP_PORT

from ..names import REVISION_LABEL, child_name, revision_selector
from ..objects import DEPLOYMENT, Object
from ..revision import artifact_of
from ..world import World
from .metadata import child
from .pod import DRAIN_SECONDS, GRACE_SECONDS, pod_template

TEMPLATE_ANNOTATION = f"{GROUP}/pod-template"
"""The pod template that was built when the revision was created.

Later versions of the operator reuse it, even if they would build another one. So an upgrade of the
operator restarts no model.
"""


def build(world: World, revision: Revision, replicas: int) -> Object:
    """Return the Deployment of a revision. Only its number of replicas ever changes."""
    deployment = child(
        DEPLOYMENT, world, child_name(world.name, revision.name), {REVISION_LABEL: revision.name}
    )
    template = _recorded_template(world, revision) or _template(world, revision)
    deployment["metadata"]["annotations"] = {
        TEMPLATE_ANNOTATION: json.dumps(template, separators=(",", ":"))
    }
    deployment["spec"] = {
        "replicas": replicas,
        "revisionHistoryLimit": 0,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": revision_selector(world.name, revision.name)},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
        "template": template,
    }
    return deployment


def _recorded_template(world: World, revision: Revision) -> Object | None:
    live = world.deployment_of(revision.name)
    text = (live or {}).get("metadata", {}).get("annotations", {}).get(TEMPLATE_ANNOTATION)
    template: Object | None = json.loads(text) if text else None
    return template


def _template(world: World, revision: Revision) -> Object:
    template = pod_template(
        world,
        image=revision.image,
        verb="serve",
        artifact=artifact_of(world.spec, revision),
        flags=[
            "--name",
            world.name,
            "--digest",
            revision.digest,
            "--http-port",
            str(HTTP_PORT),
            "--drain-seconds",
            str(DRAIN_SECONDS),
            "--grace-seconds",
            str(GRACE_SECONDS),
            *_accelerator(world),
            *_batching(world),
        ],
        labels={REVISION_LABEL: revision.name},
    )
    template["spec"]["terminationGracePeriodSeconds"] = DRAIN_SECONDS + GRACE_SECONDS + 5
    template["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": revision_selector(world.name, revision.name)},
        }
    ]
    return template


def _accelerator(world: World) -> list[str]:
    accelerator = world.spec.serving.accelerator
    return [] if accelerator == "Auto" else ["--accelerator", accelerator.lower()]


def _batching(world: World) -> list[str]:
    batching = world.spec.serving.batching
    if batching is None:
        return []
    return [
        "--batch-max-size",
        str(batching.maxSize),
        "--batch-max-delay-microseconds",
        str(batching.maxDelayMicroseconds),
    ]
