"""The RetrainJob that a trigger leads to."""

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.retrainjob import RetrainJobSpec, RetrainTemplate
from perennial_contracts.api.trigger import Trigger

from ..names import child_name
from ..objects import RETRAIN_JOB, Object
from ..world import World
from .metadata import child


def build(world: World, template: RetrainTemplate, trigger: Trigger, attempt: int) -> Object:
    """A RetrainJob whose name is that of its evidence.

    A second one for the same evidence and attempt would have the same name, so that an operator
    that forgot the first one, since it was stopped in between, finds it in its way.
    """
    job = child(RETRAIN_JOB, world, child_name(world.name, f"{trigger.fingerprint[:8]}-{attempt}"))
    spec = RetrainJobSpec(
        **template.model_dump(exclude_none=True),
        modelRef=LocalReference(name=world.name),
        trigger=trigger,
    )
    return {**job, "spec": spec.model_dump(exclude_none=True)}
