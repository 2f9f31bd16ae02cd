"""Build the RetrainJob for a trigger."""

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.retrainjob import RetrainJobSpec, RetrainTemplate
from perennial_contracts.api.trigger import Trigger

from ..names import child_name
from ..objects import RETRAIN_JOB, Object
from ..world import World
from .metadata import child


def build(world: World, template: RetrainTemplate, trigger: Trigger, attempt: int) -> Object:
    """Return a RetrainJob that is named after its evidence.

    The same evidence and attempt always lead to the same name. So an operator that was stopped
    before it recorded the run cannot create it twice.
    """
    job = child(RETRAIN_JOB, world, child_name(world.name, f"{trigger.fingerprint[:8]}-{attempt}"))
    spec = RetrainJobSpec(
        **template.model_dump(exclude_none=True),
        modelRef=LocalReference(name=world.name),
        trigger=trigger,
    )
    return {**job, "spec": spec.model_dump(exclude_none=True)}
