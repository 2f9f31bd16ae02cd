"""How far a RetrainJob is, and what came of it."""

from dataclasses import replace
from datetime import datetime

from perennial_contracts.runstatus import (
    SUCCEEDED,
    Challenger,
    ModelReference,
    RetrainJobStatus,
    RunReason,
)
from perennial_contracts.training import JUDGE, TRAIN, TrainingResult

from ..children import training_job
from ..clock import seconds_since, to_text
from ..names import child_name
from ..objects import JOB, Object
from ..plan import Plan
from ..world import TrainingWorld
from . import progress, steps
from .diagnosis import RETRAIN_JOB_FIELDS, Diagnosis, condition_of, diagnose
from .verdict import Verdict, to_condition

NEWS_SECONDS = 15.0
"""How long the news of a pod is waited for when its Job has ended."""
_WORKLOAD_LABEL = "kueue.x-k8s.io/job-uid"
"""By which Kueue's record of a Job is found."""


def decide(
    world: TrainingWorld, trainer_image: str, now: datetime, refusal: Diagnosis | None = None
) -> Plan[RetrainJobStatus]:
    """The whole plan for a RetrainJob. Once it has ended nothing is changed any more."""
    status = world.status
    if _has_ended(status):
        return Plan(children=world.jobs(), status=status, events=[])
    if refusal:
        return _say(world, Verdict("Unknown", refusal.reason, refusal.message), status, now)
    job = world.child(JOB, child_name(world.name))
    if job:
        return _follow(world, job, now)
    return _start(world, trainer_image, now)


def _start(world: TrainingWorld, trainer_image: str, now: datetime) -> Plan[RetrainJobStatus]:
    status = world.status
    stable = world.deployed[1].stable if world.deployed else None
    if not world.deployed or not stable:
        what = "does not exist" if not world.deployed else "serves nothing yet"
        message = f"ModelDeployment {world.model} {what}; the run begins when it does."
        return _say(world, Verdict("Unknown", RunReason.WAITING_FOR_MODEL, message), status, now)
    spec = world.deployed[0]
    captured = spec.monitoring.capture if spec.monitoring else None
    if not captured and not world.spec.data.baseline:
        message = (
            f"ModelDeployment {world.model} captures nothing, and there is no baseline. Set its "
            "spec.monitoring.capture.uri, or spec.data.baseline here."
        )
        verdict = Verdict("False", RunReason.NOTHING_TO_LEARN_FROM, message)
        return _say(world, verdict, status, now)
    starting = Verdict("Unknown", RunReason.STARTING, "The pod is being made.")
    if not status.champion:
        # Recorded before the Job is made: it is this very model that the challenger must beat.
        champion = ModelReference(uri=stable.uri, digest=stable.digest)
        changes = {"champion": champion, "startTime": to_text(now)}
        return _say(world, starting, status.model_copy(update=changes), now)
    moment = status.startTime or to_text(now)
    job = training_job.build(world, spec, status.champion, trainer_image, moment)
    return _say(world, starting, status, now, [job])


def _follow(world: TrainingWorld, job: Object, now: datetime) -> Plan[RetrainJobStatus]:
    """A Job that exists, running or ended."""
    status = _with_progress(world)
    ended, reason, since = _ending(job)
    pod = world.pods[-1] if world.pods else None
    result = _result(pod) if pod else None
    if result:
        return _conclude(world, job, result, now)
    # News of the Job may come before that of its pod, which says why.
    left = NEWS_SECONDS - seconds_since(since, now) if since else 0.0
    found = diagnose(world.pods[-1:], fields=RETRAIN_JOB_FIELDS)
    if ended and left > 0 and not found and reason != RunReason.DEADLINE_EXCEEDED:
        return replace(_progress(world, job, pod, status, now), look_again=left)
    if not ended and _holds(job, "FailureTarget"):
        # Its pods are being stopped; what was told last is not undone by that.
        return Plan(children=[job], status=status, events=[])
    if not ended:
        return _progress(world, job, pod, status, now)
    # A pod may go before its Job does: then what was told last is all that is known.
    done = steps.ended_in(pod) if pod else steps.known_ended(status.conditions)
    if ended == "Complete":
        message = "The Job is complete, but its pod is gone, and with it what it found."
        verdict = Verdict("False", RunReason.NO_RESULT, message)
        done = len(steps.STEPS) - 1
    elif reason == RunReason.DEADLINE_EXCEEDED:
        message = (
            f"It took longer than {world.spec.activeDeadlineSeconds} s. Raise "
            "spec.activeDeadlineSeconds, or lower spec.search.maxTrials."
        )
        verdict = Verdict("False", RunReason.DEADLINE_EXCEEDED, message)
    else:
        found = found or Diagnosis(
            RunReason.NO_RESULT, "The Job failed, and its pod is gone. Make another RetrainJob."
        )
        verdict = Verdict("False", found.reason, found.message)
    return _say(world, verdict, status, now, [job], done)


def _progress(
    world: TrainingWorld, job: Object, pod: Object | None, status: RetrainJobStatus, now: datetime
) -> Plan[RetrainJobStatus]:
    """A Job that has not ended."""
    done = 0
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
        done = steps.ended_in(pod)
        starting = Verdict("Unknown", RunReason.STARTING, "The pod is being started.")
        verdict = steps.running_in(pod) or starting
        if found := diagnose([pod], fields=RETRAIN_JOB_FIELDS):
            verdict = Verdict("Unknown", found.reason, found.message)
    if not done:
        status = status.model_copy(update={"progress": None})
    plan = _say(world, verdict, status, now, [job], done)
    return replace(plan, asks=_trainer_of(pod) if pod and done else None)


def _trainer_of(pod: Object) -> str | None:
    """The address of a pod that trains."""
    address: str | None = pod.get("status", {}).get("podIP")
    return address if "running" in steps.state_of(pod, TRAIN) else None


def _with_progress(world: TrainingWorld) -> RetrainJobStatus:
    """The status with what the trainer said last."""
    if world.progress is None:
        return world.status
    return world.status.model_copy(update={"progress": progress.told(world.progress)})


def _conclude(
    world: TrainingWorld, job: Object, result: TrainingResult, now: datetime
) -> Plan[RetrainJobStatus]:
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
    return _say(world, verdict, _with_progress(world).model_copy(update=changes), now, [job])


def _say(
    world: TrainingWorld,
    verdict: Verdict,
    status: RetrainJobStatus,
    now: datetime,
    children: list[Object] | None = None,
    done: int = 0,
) -> Plan[RetrainJobStatus]:
    """The plan that tells a verdict, with ``done`` steps that have ended well."""
    told = steps.verdicts(verdict, done)
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
    return Plan(
        children=world.jobs() if children is None else children,
        status=after,
        events=steps.news(world.status.conditions, told),
    )


def _has_ended(status: RetrainJobStatus) -> bool:
    return any(
        condition.type == SUCCEEDED and condition.status != "Unknown"
        for condition in status.conditions
    )


def _ending(job: Object) -> tuple[str, str, str]:
    """``Complete`` or ``Failed``, its reason and its time; or nothing while it runs."""
    for condition in job.get("status", {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return condition["type"], condition.get("reason", ""), condition["lastTransitionTime"]
    return "", "", ""


def _holds(obj: Object, type_: str) -> bool:
    condition = condition_of(obj, type_)
    return condition is not None and condition["status"] == "True"


def _result(pod: Object) -> TrainingResult | None:
    message = (steps.state_of(pod, JUDGE).get("terminated") or {}).get("message", "")
    return TrainingResult.from_text(message)
