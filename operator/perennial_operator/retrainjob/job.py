"""A Job of a run: how far it is, and what came of it."""

from dataclasses import replace
from datetime import datetime

from perennial_contracts.api.retrainjob_status import Challenger, RetrainJobStatus, RunReason
from perennial_contracts.wire.run_plan import JUDGE, TRAIN, TrainingResult

from ..clock import seconds_since
from ..conditions import Verdict
from ..diagnosis import RETRAIN_JOB_FIELDS, Diagnosis, condition_of, diagnose
from ..objects import Object
from ..world import TrainingWorld
from . import conditions, progress
from .saying import RetrainJobPlan, say

NEWS_SECONDS = 15.0
"""How long the news of a pod is waited for when its Job has ended."""
_WORKLOAD_LABEL = "kueue.x-k8s.io/job-uid"
"""By which Kueue's record of a Job is found."""


def follow(world: TrainingWorld, job: Object, now: datetime, before: int = 0) -> RetrainJobPlan:
    """A Job that exists, running or ended, whose pods are the world's.

    Args:
        world: the run.
        job: what does its steps, or those from ``before`` on.
        now: the time.
        before: how many steps had ended well before there was this Job.
    """
    status = with_progress(world)
    ended, reason, since = ending_of(job)
    pod = world.pods[-1] if world.pods else None
    result = _result(pod) if pod else None
    if result:
        return _conclude(world, job, result, now)
    # News of the Job may come before that of its pod, which says why.
    left = NEWS_SECONDS - seconds_since(since, now) if since else 0.0
    found = diagnose(world.pods[-1:], fields=RETRAIN_JOB_FIELDS)
    if ended and left > 0 and not found and reason != RunReason.DEADLINE_EXCEEDED:
        return replace(_progress(world, job, pod, status, now, before), look_again=left)
    if not ended and _holds(job, "FailureTarget"):
        # Its pods are being stopped; what was told last is not undone by that.
        return RetrainJobPlan(children=[job], status=status, events=[])
    if not ended:
        return _progress(world, job, pod, status, now, before)
    # A pod may go before its Job does: then what was told last is all that is known.
    done = conditions.ended_in(pod, before) if pod else conditions.known_ended(status.conditions)
    if ended == "Complete":
        message = "The Job is complete, but its pod is gone, and with it what it found."
        verdict = Verdict("False", RunReason.NO_RESULT, message)
        done = len(conditions.STEPS) - 1
    elif reason == RunReason.DEADLINE_EXCEEDED:
        verdict = too_late(world)
    else:
        found = found or Diagnosis(
            RunReason.NO_RESULT, "The Job failed, and its pod is gone. Make another RetrainJob."
        )
        verdict = Verdict("False", found.reason, found.message)
    return say(world, verdict, status, now, [job], done)


def _progress(
    world: TrainingWorld,
    job: Object,
    pod: Object | None,
    status: RetrainJobStatus,
    now: datetime,
    before: int,
) -> RetrainJobPlan:
    """A Job that has not ended."""
    done = before
    if _holds(job, "Suspended"):
        # Of a pod that was taken back nothing is left.
        message = (
            f"The Job is suspended until the queue {world.spec.queueName} has room for it. "
            f"kubectl describe workload -n {world.namespace} -l {_WORKLOAD_LABEL}="
            f"{job['metadata'].get('uid', '')} says what it waits for."
        )
        verdict = Verdict("Unknown", RunReason.QUEUED, message)
    elif not pod:
        verdict = Verdict("Unknown", RunReason.STARTING, "The pod is being made.")
    elif _holds(pod, "DisruptionTarget"):
        message = "The pod's node gave it up; another pod is made, which begins anew."
        verdict = Verdict("Unknown", RunReason.STARTING, message)
    else:
        done = conditions.ended_in(pod, before)
        starting = Verdict("Unknown", RunReason.STARTING, "The pod is being started.")
        verdict = conditions.running_in(pod) or starting
        if found := diagnose([pod], fields=RETRAIN_JOB_FIELDS):
            verdict = Verdict("Unknown", found.reason, found.message)
    if not done:
        status = status.model_copy(update={"progress": None})
    plan = say(world, verdict, status, now, [job], done)
    return replace(plan, progress_from=trainer_of(pod, TRAIN) if pod and done else None)


def too_late(world: TrainingWorld) -> Verdict:
    """The run took longer than it may."""
    message = (
        f"It took longer than {world.spec.activeDeadlineSeconds} s. Raise "
        "spec.activeDeadlineSeconds, or lower spec.search.maxTrials."
    )
    return Verdict("False", RunReason.DEADLINE_EXCEEDED, message)


def trainer_of(pod: Object, container: str) -> str | None:
    """The address of a pod whose container trains."""
    address: str | None = pod.get("status", {}).get("podIP")
    return address if "running" in conditions.state_of(pod, container) else None


def with_progress(world: TrainingWorld) -> RetrainJobStatus:
    """The status with what the trainer said last."""
    if world.progress is None:
        return world.status
    return world.status.model_copy(update={"progress": progress.told(world.progress)})


def _conclude(
    world: TrainingWorld, job: Object, result: TrainingResult, now: datetime
) -> RetrainJobPlan:
    changes = {
        "decision": result.decision,
        "message": result.message,
        "challenger": Challenger(
            uri=result.challenger.uri,
            digest=result.challenger.digest,
            candidate=result.candidate[:256],
            sizeBytes=result.sizeBytes,
            p95Microseconds=result.p95Microseconds,
        ),
        "data": result.data,
        "metrics": result.metrics,
        "comparisons": result.comparisons,
        "report": result.report,
    }
    verdict = Verdict("True", result.decision, result.message)
    return say(world, verdict, with_progress(world).model_copy(update=changes), now, [job])


def ending_of(job: Object) -> tuple[str, str, str]:
    """``Complete`` or ``Failed``, its reason and its time; or nothing while it runs."""
    for condition in job.get("status", {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return condition["type"], condition.get("reason", ""), condition["lastTransitionTime"]
    return "", "", ""


def _holds(obj: Object, type_: str) -> bool:
    condition = condition_of(obj, type_)
    return condition is not None and condition["status"] == "True"


def _result(pod: Object) -> TrainingResult | None:
    message = (conditions.state_of(pod, JUDGE).get("terminated") or {}).get("message", "")
    return TrainingResult.from_text(message)
