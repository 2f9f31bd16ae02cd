"""How far a RetrainJob is, and what came of it."""

from datetime import datetime

from perennial_contracts.api.retrainjob_status import (
    SUCCEEDED,
    ModelReference,
    RetrainJobStatus,
    RunReason,
)

from ..clock import to_text
from ..conditions import Verdict
from ..diagnosis import Diagnosis
from ..names import child_name
from ..objects import JOB
from ..specs import run_job
from ..world import TrainingWorld
from . import trainjob as staged
from .job import follow
from .saying import RetrainJobPlan, say


def decide(world: TrainingWorld, trainer_image: str, now: datetime) -> RetrainJobPlan:
    """Return the plan for a RetrainJob. Once the run has ended, the plan changes nothing."""
    status = world.status
    if _has_ended(status):
        if staged.is_staged(world):
            return staged.leave(world, now)
        return RetrainJobPlan(children=world.jobs(), status=status, events=[])
    job = world.child(JOB, child_name(world.name))
    if job and staged.is_staged(world):
        return staged.go_on(world, job, trainer_image, now)
    if job:
        return follow(world, job, now)
    return _start(world, trainer_image, now)


def refused(world: TrainingWorld, refusal: Diagnosis, now: datetime) -> RetrainJobPlan:
    """Return the plan that reports that the API server rejected a child of the run."""
    verdict = Verdict("Unknown", refusal.reason, refusal.message)
    done = staged.done(world) if staged.is_staged(world) else 0
    return say(world, verdict, world.status, now, [], done)


def _start(world: TrainingWorld, trainer_image: str, now: datetime) -> RetrainJobPlan:
    status = world.status
    stable = world.deployed[1].stable if world.deployed else None
    if not world.deployed or not stable:
        what = "does not exist" if not world.deployed else "serves nothing yet"
        message = f"ModelDeployment {world.model} {what}; the run begins when it does."
        return say(world, Verdict("Unknown", RunReason.WAITING_FOR_MODEL, message), status, now)
    spec = world.deployed[0]
    captured = spec.monitoring.capture if spec.monitoring else None
    if not captured and not world.spec.data.baseline:
        message = (
            f"ModelDeployment {world.model} captures nothing, and there is no baseline. Set its "
            "spec.monitoring.capture.uri, or spec.data.baseline here."
        )
        verdict = Verdict("False", RunReason.NOTHING_TO_LEARN_FROM, message)
        return say(world, verdict, status, now)
    starting = Verdict("Unknown", RunReason.STARTING, "The pod is being made.")
    if not status.champion:
        # Recorded before the Job is made: it is this very model that the challenger must beat.
        champion = ModelReference(uri=stable.uri, digest=stable.digest)
        changes = {"champion": champion, "startTime": to_text(now)}
        return say(world, starting, status.model_copy(update=changes), now)
    if staged.is_staged(world):
        return staged.start(world, spec, status.champion, trainer_image, now)
    moment = status.startTime or to_text(now)
    job = run_job.build(world, spec, status.champion, trainer_image, moment)
    return say(world, starting, status, now, [job])


def _has_ended(status: RetrainJobStatus) -> bool:
    return any(
        condition.type == SUCCEEDED and condition.status != "Unknown"
        for condition in status.conditions
    )
