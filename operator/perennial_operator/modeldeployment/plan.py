"""All decisions about a ModelDeployment, put together into one plan."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from perennial_contracts.api.duration import seconds
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.wire.formats import Variant

from ..diagnosis import Diagnosis
from ..monitoring.targets import Target
from ..plan import Plan
from ..specs import deployment, disruption_budget, service, service_account
from ..world import World
from . import monitoring, rollback, rollout, status
from .artifact import packaging
from .retraining import plan as retraining


def decide(
    world: World,
    default_image: str,
    now: datetime,
    refusal: Diagnosis | None = None,
    trainer_images: Mapping[Variant, str] = MappingProxyType({}),
) -> Plan[ModelDeploymentStatus]:
    """The whole plan. ``refusal`` is what the API server said to the plan before, if it said no."""
    watched = monitoring.decide(world, now)
    back = rollback.decide(world)
    retrained = retraining.decide(world, watched, now)
    model = packaging.decide(
        world, default_image, trainer_images, now, back.promotion or retrained.promotion
    )
    steps = rollout.decide(world, model, default_image, now)

    children = [service_account.build(world)]
    if steps.serving:
        children.append(service.build(world, steps.serving.name))
        children.append(disruption_budget.build(world, steps.serving.name))
    for revision in (steps.stable, steps.candidate, *steps.previous):
        if revision:
            children.append(deployment.build(world, revision, steps.replicas[revision.name]))
    if model.job:
        children.append(model.job)
    if retrained.job:
        children.append(retrained.job)

    described = status.describe(world, model, steps, back, watched, retrained, now, refusal)
    if refusal:
        described = _as_before(described, world.status)
    waits = (model.look_again, steps.look_again, retrained.look_again)
    return Plan(
        children=children,
        status=described,
        events=[
            *status.events(world.status, described),
            *(() if refusal else (*back.events, *retrained.events)),
        ],
        look_again=min((wait for wait in waits if wait is not None), default=None),
        watch=_target(world, described),
        closes={
            "predictions": bool(watched and watched.closes_predictions),
            "labels": bool(watched and watched.closes_labels),
        },
    )


def _as_before(
    status: ModelDeploymentStatus, before: ModelDeploymentStatus
) -> ModelDeploymentStatus:
    """The new conditions over the old revisions: a plan that was refused has changed nothing."""
    fields = (
        "stable", "candidate", "previous", "url", "promoted", "rollbackRequest", "retraining",
    )  # fmt: skip
    kept: dict[str, Any] = {field: getattr(before, field) for field in fields}
    return status.model_copy(update=kept)


def _target(world: World, after: ModelDeploymentStatus) -> Target | None:
    settings = world.spec.monitoring
    if not settings or not after.stable:
        return None
    return Target(
        world.name, after.stable.name, after.stable.digest, float(seconds(settings.window))
    )
