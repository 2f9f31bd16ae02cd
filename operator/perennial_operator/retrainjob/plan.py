"""Decide about a RetrainJob: wait for its model, start, follow, clean up."""

from datetime import datetime

from perennial_contracts.api.retrainjob_status import ModelReference, RunReason

from ..clock import to_text
from ..conditions import ConditionState
from ..diagnosis import Diagnosis
from ..images import Images
from ..names import child_name
from ..objects import JOB
from ..specs import run_job
from ..world import RunWorld
from . import job, trainjob
from .conditions import RetrainJobPlan, has_ended, with_conditions


def decide(world: RunWorld, images: Images, now: datetime) -> RetrainJobPlan:
    """Return the plan for a RetrainJob. Once the run has ended, its status is final."""
    status = world.status
    if has_ended(status):
        if trainjob.uses_train_job(world):
            return trainjob.clean_up(world, now)
        return RetrainJobPlan(children=world.jobs(), status=status, events=[])
    live = world.child(JOB, child_name(world.name))
    if live and trainjob.uses_train_job(world):
        return trainjob.advance(world, live, images, now)
    if live:
        return job.report_job(world, live, now)
    return _start(world, images, now)


def refused(world: RunWorld, refusal: Diagnosis, now: datetime) -> RetrainJobPlan:
    """Return the plan that reports that the API server rejected a child of the run."""
    state = ConditionState("Unknown", refusal.reason, refusal.message)
    done = trainjob.steps_done(world) if trainjob.uses_train_job(world) else 0
    return with_conditions(world, state, world.status, now, [], done)


def _start(world: RunWorld, images: Images, now: datetime) -> RetrainJobPlan:
    status = world.status
    stable = world.deployed[1].stable if world.deployed else None
    if not world.deployed or not stable:
        problem = "has no stable revision" if world.deployed else "does not exist"
        message = f"ModelDeployment {world.model} {problem}. The run starts when it serves a model."
        state = ConditionState("Unknown", RunReason.WAITING_FOR_MODEL, message)
        return with_conditions(world, state, status, now)
    spec = world.deployed[0]
    captures = spec.monitoring.capture if spec.monitoring else None
    if not captures and not world.spec.data.baseline:
        message = (
            f"There is no training data: ModelDeployment {world.model} captures nothing, and this "
            "RetrainJob has no baseline. Set spec.monitoring.capture.uri of the ModelDeployment, "
            "or spec.data.baseline of a new RetrainJob."
        )
        state = ConditionState("False", RunReason.NOTHING_TO_LEARN_FROM, message)
        return with_conditions(world, state, status, now)
    starting = ConditionState("Unknown", RunReason.STARTING, "Creating the pod.")
    if not status.champion:
        # Recorded before the Job exists: the challenger must beat this very model.
        champion = ModelReference(uri=stable.uri, digest=stable.digest)
        changes = {"champion": champion, "startTime": to_text(now)}
        return with_conditions(world, starting, status.model_copy(update=changes), now)
    if trainjob.uses_train_job(world):
        return trainjob.start(world, spec, status.champion, images, now)
    moment = status.startTime or to_text(now)
    child = run_job.build(world, spec, status.champion, images.trainer, moment)
    return with_conditions(world, starting, status, now, [child])
