"""Everything that is to be, for one ModelDeployment: its children and its status."""

from dataclasses import dataclass
from datetime import datetime

from perennial_contracts.modeldeployment import ModelDeploymentStatus

from .children import deployment, disruption_budget, resolver, service, service_account
from .decisions import packaging, rollout, status
from .decisions.diagnosis import Diagnosis
from .objects import Object
from .world import World


@dataclass(frozen=True)
class Plan:
    """What the cluster is to look like. A live child that is not in it goes."""

    children: list[Object]
    status: ModelDeploymentStatus
    look_again: float | None
    """Seconds until the next look, where no event will bring it."""


def decide(
    world: World, default_image: str, now: datetime, refusal: Diagnosis | None = None
) -> Plan:
    """The whole plan. ``refusal`` is what the API server said to the plan before, if it said no."""
    model = packaging.decide(world, now)
    steps = rollout.decide(world, model.digest, default_image, now)

    children = [service_account.build(world)]
    if steps.serving:
        children.append(service.build(world, steps.serving.name))
        children.append(disruption_budget.build(world, steps.serving.name))
    for revision in (steps.stable, steps.candidate, *steps.previous):
        if revision:
            children.append(deployment.build(world, revision, steps.replicas[revision.name]))
    if model.wants_job:
        children.append(resolver.build(world, world.spec.serving.image or default_image))

    waits = [wait for wait in (model.look_again, steps.look_again) if wait is not None]
    return Plan(
        children=children,
        status=status.describe(world, model, steps, now, refusal),
        look_again=min(waits, default=None),
    )
