"""Combine all decisions about a ModelDeployment into one plan."""

from dataclasses import dataclass, replace
from datetime import datetime

from perennial_contracts.api.duration import seconds
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus

from ..diagnosis import Diagnosis
from ..images import Images
from ..monitoring.targets import Target
from ..monitoring.windows import JudgedWindows
from ..objects import Object
from ..plan import ResourcePlan
from ..specs import deployment, disruption_budget, service, service_account
from ..world import World
from . import monitoring, rollback, rollout, status
from .artifact import plan as artifact
from .retraining import plan as retraining


@dataclass(frozen=True)
class ModelDeploymentPlan(ResourcePlan[ModelDeploymentStatus]):
    """The wanted state of a ModelDeployment."""

    decisions: status.Decisions
    """The decisions that led to it."""
    target: Target | None
    """The pods whose counters are read from now on."""
    judged: JudgedWindows
    """Windows to close once the status is written."""


def decide(world: World, images: Images, now: datetime) -> ModelDeploymentPlan:
    """Return the plan for a ModelDeployment."""
    monitored = monitoring.decide(world, now)
    rolled_back = rollback.decide(world)
    retrained = retraining.decide(world, monitored, now)
    promotion = rolled_back.promotion or retrained.promotion
    model = artifact.decide(world, images, now, promotion)
    step = rollout.decide(world, model, images, now)

    decisions = status.Decisions(model, step, rolled_back, monitored, retrained)
    described = status.describe(world, decisions, now)
    waits = (model.look_again, step.look_again, retrained.look_again)
    return ModelDeploymentPlan(
        children=_children(world, decisions),
        status=described,
        events=[*status.events(world.status, described), *rolled_back.events, *retrained.events],
        look_again=min((wait for wait in waits if wait is not None), default=None),
        decisions=decisions,
        target=_target(world, described),
        judged=monitored.judged if monitored else JudgedWindows(),
    )


def _children(world: World, decisions: status.Decisions) -> list[Object]:
    """Return the children in the order in which they are applied."""
    step = decisions.rollout
    children = [service_account.build(world)]
    if step.serving:
        children.append(service.build(world, step.serving.name))
        children.append(disruption_budget.build(world, step.serving.name))
    for revision in (step.stable, step.candidate, *step.previous):
        if revision:
            children.append(deployment.build(world, revision, step.replicas[revision.name]))
    jobs = (decisions.artifact.job, decisions.retraining.job)
    return [*children, *(job for job in jobs if job)]


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
