"""Follow a Job of a run: its progress, its result or its failure."""

from dataclasses import replace
from datetime import datetime

from perennial_contracts.api.retrainjob_status import Challenger, RetrainJobStatus, RunReason
from perennial_contracts.wire.run_plan import JUDGE, TRAIN, TrainingResult

from ..clock import seconds_since
from ..conditions import ConditionState
from ..diagnosis import RETRAIN_JOB_FIELDS, Diagnosis, diagnose
from ..objects import Object
from ..pods import ending_of, is_running, is_true, termination_of
from ..world import RunWorld
from .conditions import (
    STEPS,
    RetrainJobPlan,
    recorded_steps_done,
    running_step,
    steps_done,
    with_conditions,
    with_progress,
)

POD_STATUS_SECONDS = 15.0
"""Longest wait for the status of a pod once its Job has ended."""
_WORKLOAD_LABEL = "kueue.x-k8s.io/job-uid"
"""Label by which Kueue's Workload of a Job is found."""


def report_job(world: RunWorld, job: Object, now: datetime, before: int = 0) -> RetrainJobPlan:
    """Return the plan that reports the state of a Job.

    Args:
        world: the run, with the pods of this Job only.
        job: the Job of all steps, or of those from ``before`` on.
        now: the current time.
        before: the number of steps that had succeeded before this Job was created.
    """
    status = with_progress(world)
    pod = world.pods[-1] if world.pods else None
    if pod and (result := _result_of(pod)):
        return _conclude(world, job, result, now)
    ending = ending_of(job)
    if not ending:
        if is_true(job, "FailureTarget"):
            # The pods are being stopped, which must not change the recorded conditions.
            return RetrainJobPlan(children=[job], status=status, events=[])
        return _report_unfinished(world, job, pod, status, now, before)
    failure = diagnose(world.pods[-1:], fields=RETRAIN_JOB_FIELDS)
    # The status of the Job may arrive before that of its pod, which contains the cause.
    left = POD_STATUS_SECONDS - seconds_since(ending.time, now)
    if left > 0 and not failure and ending.reason != RunReason.DEADLINE_EXCEEDED:
        plan = _report_unfinished(world, job, pod, status, now, before)
        return replace(plan, look_again=left)
    # If the pod is deleted before its Job, the recorded conditions are all that is known.
    done = steps_done(pod, before) if pod else recorded_steps_done(status.conditions)
    if ending.type == "Complete":
        message = (
            "The Job succeeded, but its pod reports no result, or was deleted too early. Create "
            "another RetrainJob."
        )
        state = ConditionState("False", RunReason.NO_RESULT, message)
        done = len(STEPS) - 1
    elif ending.reason == RunReason.DEADLINE_EXCEEDED:
        state = deadline_exceeded(world)
    else:
        failure = failure or Diagnosis(
            RunReason.NO_RESULT,
            "The Job failed, and its pod reports no cause, or was deleted too early. Create "
            "another RetrainJob.",
        )
        state = ConditionState("False", failure.reason, failure.message)
    return with_conditions(world, state, status, now, [job], done)


def _report_unfinished(
    world: RunWorld,
    job: Object,
    pod: Object | None,
    status: RetrainJobStatus,
    now: datetime,
    before: int,
) -> RetrainJobPlan:
    done = before
    if is_true(job, "Suspended"):
        # The pod of a Job that was suspended again is deleted, and with it all that it has done.
        message = (
            f"The Job is suspended until the queue {world.spec.queueName} has quota for it. Run "
            f"kubectl describe workload -n {world.namespace} -l {_WORKLOAD_LABEL}="
            f"{job['metadata'].get('uid', '')} for details."
        )
        state = ConditionState("Unknown", RunReason.QUEUED, message)
    elif not pod:
        state = ConditionState("Unknown", RunReason.STARTING, "Creating the pod.")
    elif is_true(pod, "DisruptionTarget"):
        message = "The node evicted the pod. A replacement pod starts over."
        state = ConditionState("Unknown", RunReason.STARTING, message)
    else:
        done = steps_done(pod, before)
        starting = ConditionState("Unknown", RunReason.STARTING, "Starting the pod.")
        state = running_step(pod) or starting
        if failure := diagnose([pod], fields=RETRAIN_JOB_FIELDS):
            state = ConditionState("Unknown", failure.reason, failure.message)
    if not done:
        status = status.model_copy(update={"progress": None})
    plan = with_conditions(world, state, status, now, [job], done)
    return replace(plan, progress_from=trainer_address(pod, TRAIN) if pod and done else None)


def deadline_exceeded(world: RunWorld) -> ConditionState:
    """Return the state of a run that took too long."""
    message = (
        f"The run took longer than {world.spec.activeDeadlineSeconds} s. Raise "
        "spec.activeDeadlineSeconds, or lower spec.search.maxTrials."
    )
    return ConditionState("False", RunReason.DEADLINE_EXCEEDED, message)


def trainer_address(pod: Object, container: str) -> str | None:
    """Return the address of a pod while a container of it trains."""
    address: str | None = pod.get("status", {}).get("podIP")
    return address if is_running(pod, container) else None


def _conclude(
    world: RunWorld, job: Object, result: TrainingResult, now: datetime
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
    state = ConditionState("True", result.decision, result.message)
    status = with_progress(world).model_copy(update=changes)
    return with_conditions(world, state, status, now, [job])


def _result_of(pod: Object) -> TrainingResult | None:
    message = (termination_of(pod, JUDGE) or {}).get("message", "")
    return TrainingResult.from_text(message)
