"""The plan that tells how far a run is."""

from dataclasses import dataclass
from datetime import datetime

from perennial_contracts.api.retrainjob_status import RetrainJobStatus

from ..clock import to_text
from ..conditions import Verdict, to_condition
from ..objects import Object
from ..plan import Plan
from ..world import TrainingWorld
from . import conditions


@dataclass(frozen=True)
class RetrainJobPlan(Plan[RetrainJobStatus]):
    """The wanted state of a RetrainJob."""

    progress_from: str | None = None
    """Address of the pod whose training progress is read from now on."""


def say(
    world: TrainingWorld,
    verdict: Verdict,
    status: RetrainJobStatus,
    now: datetime,
    children: list[Object] | None = None,
    done: int = 0,
) -> RetrainJobPlan:
    """The plan that tells a verdict, with ``done`` steps that have ended well."""
    told = conditions.verdicts(verdict, done)
    changes: dict[str, object] = {
        "observedGeneration": world.generation,
        "conditions": [
            to_condition(type_, each, status.conditions, world.generation, now)
            for type_, each in told.items()
        ],
    }
    if verdict.status != "Unknown":
        changes["completionTime"] = to_text(now)
        changes["message"] = status.message or verdict.message
    after = status.model_copy(update=changes)
    return RetrainJobPlan(
        children=world.jobs() if children is None else children,
        status=after,
        events=conditions.news(world.status.conditions, told),
    )
