"""All decisions about a ModelDeployment, put together into one plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from perennial_contracts.api.duration import seconds
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.wire.formats import Variant

from ..diagnosis import Diagnosis
from ..monitoring.targets import Target
from ..monitoring.windows import JudgedWindows
from ..plan import Plan
from ..specs import deployment, disruption_budget, service, service_account
from ..world import World
from . import monitoring, rollback, rollout, status
from .artifact import plan as artifact
from .retraining import plan as retraining


@dataclass(frozen=True)
class ModelDeploymentPlan(Plan[ModelDeploymentStatus]):
    """The wanted state of a ModelDeployment."""

    decisions: status.Decisions
    """The decisions that led to it."""
    target: Target | None
    """Pods whose counters are read from now on."""
    judged: JudgedWindows
    """Windows to close once the status is written."""


def decide(
    world: World,
    default_image: str,
    now: datetime,
    trainer_images: Mapping[Variant, str] = MappingProxyType({}),
) -> ModelDeploymentPlan:
    """Return the plan for a ModelDeployment."""
    watched = monitoring.decide(world, now)
    back = rollback.decide(world)
    retrained = retraining.decide(world, watched, now)
    model = artifact.decide(
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

    decisions = status.Decisions(model, steps, back, watched, retrained)
    described = status.describe(world, decisions, now)
    waits = (model.look_again, steps.look_again, retrained.look_again)
    return ModelDeploymentPlan(
        children=children,
        status=described,
        events=[*status.events(world.status, described), *back.events, *retrained.events],
        look_again=min((wait for wait in waits if wait is not None), default=None),
        decisions=decisions,
        target=_target(world, described),
        judged=watched.judged if watched else JudgedWindows(),
    )


def refused(
    world: World, plan: ModelDeploymentPlan, refusal: Diagnosis, now: datetime
) -> ModelDeploymentPlan:
    """Return a plan without children for one that the API server rejected.

    It records observations only, judged windows among them: a window is counted once, however
    often the plan is tried. All else is decided again at the next attempt.
    """
    described = status.describe_refused(world, plan.decisions, refusal, now)
    return replace(
        plan,
        children=[],
        status=described,
        events=status.events(world.status, described),
        target=_target(world, described),
    )


def _target(world: World, after: ModelDeploymentStatus) -> Target | None:
    settings = world.spec.monitoring
    if not settings or not after.stable:
        return None
    return Target(
        world.name, after.stable.name, after.stable.digest, float(seconds(settings.window))
    )
