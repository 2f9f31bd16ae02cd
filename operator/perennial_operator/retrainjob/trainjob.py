"""Follow a run of a Job that assembles, a TrainJob that trains, a Job that judges.

Each is created when the one before has succeeded. The operator does not watch TrainJobs and claims:
``unwatched_children`` names those that a decision needs, and a running TrainJob is polled.
"""

from dataclasses import replace
from datetime import datetime

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.retrainjob_status import ModelReference, RetrainJobStatus, RunReason
from perennial_contracts.wire.run_plan import ASSEMBLE, JUDGE, TRAIN

from ..clock import seconds_since, to_text
from ..conditions import ConditionState
from ..diagnosis import RETRAIN_JOB_FIELDS, diagnose
from ..images import Images
from ..names import STEP_LABEL
from ..objects import CLAIM, JOB, TRAIN_JOB, Kind, Object, labels_of, name_of
from ..pods import condition_of, ending_of, is_complete
from ..specs import run_job, run_plan, train_job, workspace
from ..world import RunWorld
from .conditions import RetrainJobPlan, has_ended, with_conditions, with_progress
from .job import POD_STATUS_SECONDS, deadline_exceeded, report_job, trainer_address

POLL_SECONDS = 10.0
"""Seconds between two looks at a running TrainJob."""
NOT_INSTALLED_SECONDS = 60.0
"""Seconds between two looks for Kubeflow Trainer."""
_NOT_INSTALLED = (
    "This cluster has no TrainJobs, so the run cannot start. Install Kubeflow Trainer 2.2 or "
    "newer: kubectl apply --server-side -k "
    "https://github.com/kubeflow/trainer.git/manifests/overlays/manager?ref=v2.2.0"
)
_FIELDS = replace(RETRAIN_JOB_FIELDS, claim="spec.backend.workspace")


def uses_train_job(world: RunWorld) -> bool:
    """Return whether the run trains in a TrainJob."""
    return world.spec.backend.type == "TrainJob"


def unwatched_children(world: RunWorld, now: datetime) -> list[tuple[Kind, str]]:
    """Return kind and name of the children that a decision needs and no watch reports."""
    if not uses_train_job(world):
        return []
    train = (TRAIN_JOB, train_job.job_name(world))
    if has_ended(world.status):
        expired = world.jobs() and _seconds_to_live(world, now) <= 0
        return [train, (CLAIM, workspace.claim_name(world))] if expired else []
    assemble = world.child(JOB, run_job.step_name(world, ASSEMBLE))
    if world.child(JOB, run_job.step_name(world, JUDGE)):
        return []
    return [train] if not assemble or is_complete(assemble) else []


def start(
    world: RunWorld,
    deployed: ModelDeploymentSpec,
    champion: ModelReference,
    images: Images,
    now: datetime,
) -> RetrainJobPlan:
    """Return the plan with the claim and the first Job, if Trainer is installed."""
    if TRAIN_JOB.name in world.missing_kinds:
        state = ConditionState("Unknown", RunReason.TRAINER_NOT_INSTALLED, _NOT_INSTALLED)
        plan = with_conditions(world, state, world.status, now)
        return replace(plan, look_again=NOT_INSTALLED_SECONDS)
    assert world.spec.backend.workspace is not None
    moment = world.status.startTime or to_text(now)
    deadline = world.spec.activeDeadlineSeconds
    children = [
        *world.children.values(),
        workspace.build(world, world.spec.backend.workspace),
        run_job.build_step(world, ASSEMBLE, deployed, champion, images.trainer, moment, deadline),
    ]
    starting = ConditionState("Unknown", RunReason.STARTING, "Creating the pod.")
    return with_conditions(world, starting, world.status, now, children)


def advance(world: RunWorld, assemble: Object, images: Images, now: datetime) -> RetrainJobPlan:
    """Return the plan of a run whose first Job exists. Children stay until its end."""
    plan = _current_step(world, assemble, images, now)
    new = [each for each in plan.children if (each["kind"], name_of(each)) not in world.children]
    return replace(plan, children=[*world.children.values(), *new])


def steps_done(world: RunWorld) -> int:
    """Return the number of steps that have succeeded."""
    train = world.child(TRAIN_JOB, train_job.job_name(world))
    if world.child(JOB, run_job.step_name(world, JUDGE)) or is_complete(train):
        return 2
    return 1 if is_complete(world.child(JOB, run_job.step_name(world, ASSEMBLE))) else 0


def clean_up(world: RunWorld, now: datetime) -> RetrainJobPlan:
    """Return the plan of an ended run: its children are deleted after a while.

    The Jobs are watched and the other children are not. So the Jobs are deleted last: as long as
    one of them exists, there may be more to delete.
    """
    left = _seconds_to_live(world, now)
    if world.jobs() and left > 0:
        kept = list(world.children.values())
        return RetrainJobPlan(children=kept, status=world.status, events=[], look_again=left)
    return RetrainJobPlan(children=[], status=world.status, events=[])


def _current_step(
    world: RunWorld, assemble: Object, images: Images, now: datetime
) -> RetrainJobPlan:
    judge = world.child(JOB, run_job.step_name(world, JUDGE))
    if judge:
        return report_job(_with_pods_of(world, JUDGE), judge, now, before=2)
    if not is_complete(assemble):
        return report_job(_with_pods_of(world, ASSEMBLE), assemble, now)
    train = world.child(TRAIN_JOB, train_job.job_name(world))
    if train and not is_complete(train):
        return _report_train_job(_with_pods_of(world, TRAIN), train, now)
    return _next_step(world, images, now)


def _next_step(world: RunWorld, images: Images, now: datetime) -> RetrainJobPlan:
    status, deployed, done = world.status, world.deployed, steps_done(world)
    if not deployed or not status.champion or not status.startTime:
        message = f"ModelDeployment {world.model} does not exist. The run continues when it does."
        state = ConditionState("Unknown", RunReason.WAITING_FOR_MODEL, message)
        return with_conditions(world, state, status, now, [], done)
    left = round(world.spec.activeDeadlineSeconds - seconds_since(status.startTime, now))
    if left <= 0:
        return with_conditions(world, deadline_exceeded(world), status, now, [], done)
    spec, moment = deployed[0], status.startTime
    if done == 1:
        plan = run_plan.build(world, spec, status.champion, moment)
        child = train_job.build(world, plan, images.trainer, left)
        message = "Creating the TrainJob."
    else:
        child = run_job.build_step(
            world, JUDGE, spec, status.champion, images.trainer, moment, left
        )
        message = "Creating the pod that judges."
    state = ConditionState("Unknown", RunReason.STARTING, message)
    return replace(with_conditions(world, state, status, now, [child], done), look_again=1.0)


def _report_train_job(world: RunWorld, job: Object, now: datetime) -> RetrainJobPlan:
    """Return the plan that reports the state of a TrainJob which has not succeeded."""
    ending = ending_of(job)
    status = with_progress(world)
    if "runtimePatches" not in job["spec"]:
        message = (
            "Kubeflow Trainer is too old: its TrainJobs have no spec.runtimePatches. Install 2.2 "
            "or newer."
        )
        state = ConditionState("False", RunReason.TRAINER_NOT_INSTALLED, message)
        return with_conditions(world, state, status, now, [], 1)
    if not ending:
        return _report_training(world, job, status, now)
    if ending.reason == RunReason.DEADLINE_EXCEEDED:
        return with_conditions(world, deadline_exceeded(world), status, now, [], 1)
    failure = diagnose(world.pods, fields=_FIELDS)
    left = POD_STATUS_SECONDS - seconds_since(ending.time, now)
    if not failure and left > 0:
        # The status of the TrainJob may arrive before that of its pods, which contains the cause.
        return replace(_report_training(world, job, status, now), look_again=left)
    if failure:
        state = ConditionState("False", failure.reason, failure.message)
    else:
        facts = (condition_of(job, "Failed") or {}).get("message", "").rstrip(".")
        parts = (f"TrainJob {name_of(job)} failed", ending.reason, facts)
        problem = ": ".join(part for part in parts if part)
        message = f"{problem}. Run {_describe_command(world, job)} for details."
        state = ConditionState("False", RunReason.TRAIN_JOB_FAILED, message)
    return with_conditions(world, state, status, now, [], 1)


def _report_training(
    world: RunWorld, job: Object, status: RetrainJobStatus, now: datetime
) -> RetrainJobPlan:
    trainers = [address for pod in world.pods if (address := trainer_address(pod, train_job.NODE))]
    # Only the latest pod counts: the runtime's policy has already retried those before.
    failure = diagnose(world.pods[-1:], fields=_FIELDS)
    if failure:
        state = ConditionState("Unknown", failure.reason, failure.message)
    elif trainers:
        state = ConditionState("Unknown", RunReason.TRAINING, "Training a challenger.")
    else:
        message = (
            "The pods of the TrainJob do not run yet. Run "
            f"{_describe_command(world, job)} for details."
        )
        state = ConditionState("Unknown", RunReason.STARTING, message)
    plan = with_conditions(world, state, status, now, [], 1)
    # One of several nodes reports for all.
    return replace(plan, look_again=POLL_SECONDS, progress_from=trainers[0] if trainers else None)


def _describe_command(world: RunWorld, job: Object) -> str:
    return f"kubectl describe trainjob {name_of(job)} -n {world.namespace}"


def _with_pods_of(world: RunWorld, step: str) -> RunWorld:
    pods = tuple(pod for pod in world.pods if labels_of(pod).get(STEP_LABEL) == step)
    return replace(world, pods=pods)


def _seconds_to_live(world: RunWorld, now: datetime) -> float:
    """Return the seconds for which the pods of an ended run stay."""
    ended = world.status.completionTime
    return world.spec.ttlSecondsAfterFinished - seconds_since(ended, now) if ended else 0.0
