"""A TrainJob: how far it is, and what went wrong."""

from dataclasses import replace
from datetime import datetime

from perennial_contracts.api.retrainjob_status import RetrainJobStatus, RunReason

from ..clock import seconds_since
from ..conditions import Verdict
from ..diagnosis import RETRAIN_JOB_FIELDS, condition_of, diagnose
from ..objects import Object, name_of
from ..specs.train_job import NODE
from ..world import TrainingWorld
from .job import NEWS_SECONDS, ending_of, too_late, trainer_of, with_progress
from .saying import RetrainJobPlan, say

POLL_SECONDS = 10.0
"""Between looks at a TrainJob that runs."""
_FIELDS = replace(RETRAIN_JOB_FIELDS, claim="spec.backend.workspace")


def training(world: TrainingWorld, job: Object, now: datetime) -> RetrainJobPlan:
    """A TrainJob that is not complete; the world's pods are its own."""
    ended, reason, since = ending_of(job)
    status = with_progress(world)
    if "runtimePatches" not in job["spec"]:
        message = "Kubeflow Trainer is too old: it takes no runtimePatches. Install 2.2 or newer."
        verdict = Verdict("False", RunReason.TRAINER_NOT_INSTALLED, message)
        return say(world, verdict, status, now, [], 1)
    if not ended:
        return _progress(world, job, status, now)
    if reason == RunReason.DEADLINE_EXCEEDED:
        return say(world, too_late(world), status, now, [], 1)
    found = diagnose(world.pods, fields=_FIELDS)
    left = NEWS_SECONDS - seconds_since(since, now)
    if not found and left > 0:
        # News of the TrainJob may come before that of its pods, which say why.
        return replace(_progress(world, job, status, now), look_again=left)
    if found:
        verdict = Verdict("False", found.reason, found.message)
    else:
        said = (condition_of(job, "Failed") or {}).get("message", "").rstrip(".")
        message = (
            f"TrainJob {name_of(job)} failed: {reason}: {said}. {_where(world, job)} says more."
        )
        verdict = Verdict("False", RunReason.TRAIN_JOB_FAILED, message)
    return say(world, verdict, status, now, [], 1)


def _progress(
    world: TrainingWorld, job: Object, status: RetrainJobStatus, now: datetime
) -> RetrainJobPlan:
    trainers = [address for pod in world.pods if (address := trainer_of(pod, NODE))]
    # What failed before, the runtime's policy has tried again already.
    found = diagnose(world.pods[-1:], fields=_FIELDS)
    if found:
        verdict = Verdict("Unknown", found.reason, found.message)
    elif trainers:
        verdict = Verdict("Unknown", RunReason.TRAINING, "A challenger is trained.")
    else:
        message = (
            f"The TrainJob's pods are being made. {_where(world, job)} says what it waits for."
        )
        verdict = Verdict("Unknown", RunReason.STARTING, message)
    plan = say(world, verdict, status, now, [], 1)
    # One of several nodes tells for all.
    return replace(plan, look_again=POLL_SECONDS, progress_from=trainers[0] if trainers else None)


def _where(world: TrainingWorld, job: Object) -> str:
    return f"kubectl describe trainjob {name_of(job)} -n {world.namespace}"
