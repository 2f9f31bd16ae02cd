"""Build the plan of a run, which its steps read, and the volumes with their input."""

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.retrainjob_status import ModelReference
from perennial_contracts.wire.run_plan import Model, Plan

from ..objects import Object
from ..world import RunWorld
from .pod_parts import locate

_CAPTURE = "/var/lib/perennial/capture"
_MODEL = "/var/lib/perennial/model"


def build(
    world: RunWorld, deployed: ModelDeploymentSpec, champion: ModelReference, now: str
) -> Plan:
    """Return the plan, which is the same for all steps."""
    spec = world.spec
    capture = deployed.monitoring.capture if deployed.monitoring else None
    return Plan(
        namespace=world.namespace,
        model=world.model,
        job=world.name,
        champion=Model(uri=locate(champion.uri, _MODEL)[0], digest=champion.digest),
        captured=locate(capture.uri, _CAPTURE)[0] if capture else None,
        trigger=spec.trigger,
        data=spec.data,
        compression=spec.compression,
        search=spec.search,
        gate=spec.gate,
        budget=spec.budget,
        output=spec.output.uri,
        now=now,
    )


def claims(deployed: ModelDeploymentSpec, champion: ModelReference) -> list[tuple[Object, Object]]:
    """Return volumes and mounts for captured rows and for the champion, if any."""
    capture = deployed.monitoring.capture if deployed.monitoring else None
    found: list[tuple[Object, Object]] = []
    for name, uri, path in (
        ("capture", capture.uri if capture else "", _CAPTURE),
        ("model", champion.uri, _MODEL),
    ):
        if claim := locate(uri, path)[1]:
            mount = {"name": name, "mountPath": path, "readOnly": True}
            found.append(({"name": name, **claim}, mount))
    return found
