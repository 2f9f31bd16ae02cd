"""A run whose training is a TrainJob: a Job assembles, the TrainJob trains, another Job judges.

Each is made when the one before has succeeded. TrainJob and claim are not watched, so the run says
which of them it must know of, and is looked at again while the TrainJob runs.
"""

from dataclasses import replace
from datetime import datetime

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.retrainjob_status import (
    SUCCEEDED,
    ModelReference,
    RunReason,
)
from perennial_contracts.wire.run_plan import ASSEMBLE, JUDGE, TRAIN

from ..clock import seconds_since, to_text
from ..conditions import Verdict
from ..names import STEP_LABEL
from ..objects import CLAIM, JOB, TRAIN_JOB, Kind, Object, labels_of, name_of
from ..specs import run_job, run_plan, train_job, workspace
from ..world import TrainingWorld
from .job import ending_of, follow, too_late
from .saying import RetrainJobPlan, say
from .trainjob_state import training

MISSING_SECONDS = 60.0
"""Between looks for a Kubeflow Trainer that is not installed."""
_MISSING = (
    "This cluster has no TrainJobs; the run begins when it has. Install Kubeflow Trainer 2.2 or "
    "newer: kubectl apply --server-side -k "
    "https://github.com/kubeflow/trainer.git/manifests/overlays/manager?ref=v2.2.0"
)


def is_staged(world: TrainingWorld) -> bool:
    return world.spec.backend.type == "TrainJob"


def asks_for(world: TrainingWorld, now: datetime) -> list[tuple[Kind, str]]:
    """What is not watched and must be known now, by kind and name."""
    if not is_staged(world):
        return []
    train = (TRAIN_JOB, train_job.job_name(world))
    if any(each.type == SUCCEEDED and each.status != "Unknown" for each in world.status.conditions):
        swept = world.jobs() and _time_to_live(world, now) <= 0
        return [train, (CLAIM, workspace.claim_name(world))] if swept else []
    assemble = world.child(JOB, run_job.step_name(world, ASSEMBLE))
    if world.child(JOB, run_job.step_name(world, JUDGE)):
        return []
    return [train] if not assemble or _is_complete(assemble) else []


def start(
    world: TrainingWorld,
    deployed: ModelDeploymentSpec,
    champion: ModelReference,
    trainer_image: str,
    now: datetime,
) -> RetrainJobPlan:
    """The claim and the first Job, where there is a Trainer to go on with."""
    if TRAIN_JOB.name in world.unserved:
        verdict = Verdict("Unknown", RunReason.TRAINER_NOT_INSTALLED, _MISSING)
        return replace(say(world, verdict, world.status, now), look_again=MISSING_SECONDS)
    assert world.spec.backend.workspace is not None
    moment = world.status.startTime or to_text(now)
    deadline = world.spec.activeDeadlineSeconds
    children = [
        *world.children.values(),
        workspace.build(world, world.spec.backend.workspace),
        run_job.build_step(world, ASSEMBLE, deployed, champion, trainer_image, moment, deadline),
    ]
    starting = Verdict("Unknown", RunReason.STARTING, "The pod is being made.")
    return say(world, starting, world.status, now, children)


def go_on(
    world: TrainingWorld, assemble: Object, trainer_image: str, now: datetime
) -> RetrainJobPlan:
    """The run from its first Job on. What was made stays until the run has ended."""
    plan = _step(world, assemble, trainer_image, now)
    new = [each for each in plan.children if (each["kind"], name_of(each)) not in world.children]
    return replace(plan, children=[*world.children.values(), *new])


def done(world: TrainingWorld) -> int:
    """How many steps have ended well."""
    train = world.child(TRAIN_JOB, train_job.job_name(world))
    judge = world.child(JOB, run_job.step_name(world, JUDGE))
    if judge or (train and _is_complete(train)):
        return 2
    assemble = world.child(JOB, run_job.step_name(world, ASSEMBLE))
    return 1 if assemble and _is_complete(assemble) else 0


def leave(world: TrainingWorld, now: datetime) -> RetrainJobPlan:
    """An ended run: all that it made stays for its time to live, and then goes.

    The Jobs are watched, the rest is not; so the Jobs go last, and as long as there is one, there
    may be more to delete.
    """
    left = _time_to_live(world, now)
    if world.jobs() and left > 0:
        kept = list(world.children.values())
        return RetrainJobPlan(children=kept, status=world.status, events=[], look_again=left)
    return RetrainJobPlan(children=[], status=world.status, events=[])


def _step(
    world: TrainingWorld, assemble: Object, trainer_image: str, now: datetime
) -> RetrainJobPlan:
    judge = world.child(JOB, run_job.step_name(world, JUDGE))
    if judge:
        return follow(_with_pods_of(world, JUDGE), judge, now, before=2)
    if not _is_complete(assemble):
        return follow(_with_pods_of(world, ASSEMBLE), assemble, now)
    train = world.child(TRAIN_JOB, train_job.job_name(world))
    if train and not _is_complete(train):
        return training(_with_pods_of(world, TRAIN), train, now)
    return _next(world, trainer_image, now, done(world))


def _next(world: TrainingWorld, trainer_image: str, now: datetime, ended: int) -> RetrainJobPlan:
    """The step after those that have ended is made."""
    status, deployed = world.status, world.deployed
    if not deployed or not status.champion or not status.startTime:
        message = f"ModelDeployment {world.model} is gone; the run goes on when it is back."
        verdict = Verdict("Unknown", RunReason.WAITING_FOR_MODEL, message)
        return say(world, verdict, status, now, [], ended)
    left = round(world.spec.activeDeadlineSeconds - seconds_since(status.startTime, now))
    if left <= 0:
        return say(world, too_late(world), status, now, [], ended)
    spec, moment = deployed[0], status.startTime
    if ended == 1:
        plan = run_plan.build(world, spec, status.champion, moment)
        child = train_job.build(world, plan, trainer_image, left)
        verdict = Verdict("Unknown", RunReason.STARTING, "The TrainJob is being made.")
    else:
        child = run_job.build_step(world, JUDGE, spec, status.champion, trainer_image, moment, left)
        verdict = Verdict("Unknown", RunReason.STARTING, "The pod that judges is being made.")
    return replace(say(world, verdict, status, now, [child], ended), look_again=1.0)


def _with_pods_of(world: TrainingWorld, step: str) -> TrainingWorld:
    pods = tuple(pod for pod in world.pods if labels_of(pod).get(STEP_LABEL) == step)
    return replace(world, pods=pods)


def _is_complete(job: Object) -> bool:
    return ending_of(job)[0] == "Complete"


def _time_to_live(world: TrainingWorld, now: datetime) -> float:
    """Seconds for which an ended run's pods are still kept."""
    ended = world.status.completionTime
    return world.spec.ttlSecondsAfterFinished - seconds_since(ended, now) if ended else 0.0
