"""Report the progress of a run: a condition for each step and for the whole run."""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import NamedTuple

from perennial_contracts.api.common import Condition
from perennial_contracts.api.retrainjob_status import (
    ASSEMBLED,
    JUDGED,
    SUCCEEDED,
    TRAINED,
    BestSoFar,
    RetrainJobStatus,
    RunReason,
    TrainingProgress,
)
from perennial_contracts.wire.run_plan import ASSEMBLE, JUDGE, TRAIN, Best, Progress

from ..clock import to_text
from ..conditions import ConditionState, Event, to_condition
from ..objects import Object
from ..plan import ResourcePlan
from ..pods import state_of, termination_of
from ..world import RunWorld

_MOST_TRIALS = 2**31 - 1
"""Largest number of trials in a status; the API accepts no number above 2**63 - 1."""
_LARGEST_VALUE = 1e20
"""Largest value of a metric in a status, which writes it as a decimal number."""


class RunStep(NamedTuple):
    """A step of a run, with its container and its condition."""

    container: str
    condition: str
    reason: RunReason
    """Reason of the condition while the step runs."""
    running: str
    done: str


STEPS = (
    RunStep(
        ASSEMBLE,
        ASSEMBLED,
        RunReason.ASSEMBLING,
        "Joining captured rows with their labels.",
        "The training rows and the held-out rows are written.",
    ),
    RunStep(
        TRAIN,
        TRAINED,
        RunReason.TRAINING,
        "Training a challenger.",
        "The challenger is trained and written.",
    ),
    RunStep(
        JUDGE,
        JUDGED,
        RunReason.JUDGING,
        "Comparing challenger and champion on the same rows.",
        "The challenger is compared with the champion.",
    ),
)


@dataclass(frozen=True)
class RetrainJobPlan(ResourcePlan[RetrainJobStatus]):
    """The wanted state of a RetrainJob."""

    progress_from: str | None = None
    """Address of the pod whose training progress is read from now on."""


def with_conditions(
    world: RunWorld,
    whole: ConditionState,
    status: RetrainJobStatus,
    now: datetime,
    children: list[Object] | None = None,
    done: int = 0,
) -> RetrainJobPlan:
    """Return the plan that reports a state of the run.

    Args:
        world: the run.
        whole: the state of the whole run; the step that runs or has failed gets the same.
        status: the status to complete with conditions.
        now: the current time.
        children: the wanted children; the Jobs that exist if there are none given.
        done: the number of steps that have succeeded.
    """
    states = _states(whole, done)
    changes: dict[str, object] = {
        "observedGeneration": world.generation,
        "conditions": [
            to_condition(type_, state, status.conditions, world.generation, now)
            for type_, state in states.items()
        ],
    }
    if whole.status != "Unknown":
        changes["completionTime"] = to_text(now)
        changes["message"] = status.message or whole.message
    return RetrainJobPlan(
        children=world.jobs() if children is None else children,
        status=status.model_copy(update=changes),
        events=_events(world.status.conditions, states),
    )


def _states(whole: ConditionState, done: int) -> dict[str, ConditionState]:
    """Return the state of every condition, by type."""
    states: dict[str, ConditionState] = {}
    for index, step in enumerate(STEPS):
        if whole.status == "True" or index < done:
            states[step.condition] = ConditionState("True", RunReason.COMPLETED, step.done)
        elif index == done:
            states[step.condition] = whole
        else:
            message = "Waiting for the steps before this one."
            if whole.status == "False":
                message = f"The run ended before this step: {whole.reason}."
            states[step.condition] = ConditionState("Unknown", RunReason.NOT_REACHED, message)
    return {**states, SUCCEEDED: whole}


def _events(before: list[Condition], states: dict[str, ConditionState]) -> list[Event]:
    """Return an event for each step that has succeeded and each new state of the run."""
    old = {condition.type: (condition.status, condition.reason) for condition in before}
    events = []
    for type_, state in states.items():
        if old.get(type_) == (state.status, state.reason):
            continue
        if state.reason == RunReason.COMPLETED:
            events.append(Event(type_, state.message))
        elif type_ == SUCCEEDED:
            warning = state.status == "False"
            events.append(Event(state.reason, state.message, warning=warning))
    return events


def has_ended(status: RetrainJobStatus) -> bool:
    """Return whether the run has ended, with or without success."""
    return any(
        condition.type == SUCCEEDED and condition.status != "Unknown"
        for condition in status.conditions
    )


def steps_done(pod: Object, before: int = 0) -> int:
    """Return the number of steps that have succeeded, before a pod and in it."""
    done = before
    for step in STEPS[before:]:
        ending = termination_of(pod, step.container)
        if not ending or ending.get("exitCode") != 0:
            break
        done += 1
    return done


def recorded_steps_done(conditions: list[Condition]) -> int:
    """Return the number of steps that had succeeded when the conditions were written."""
    true = {condition.type for condition in conditions if condition.status == "True"}
    done = 0
    for step in STEPS:
        if step.condition not in true:
            break
        done += 1
    return done


def running_step(pod: Object) -> ConditionState | None:
    """Return the state of the last step that has started in a pod; None if none has."""
    for step in reversed(STEPS):
        state = state_of(pod, step.container)
        if "running" in state or "terminated" in state:
            return ConditionState("Unknown", step.reason, step.running)
    return None


def with_progress(world: RunWorld) -> RetrainJobStatus:
    """Return the recorded status with the latest report of the trainer."""
    if world.progress is None:
        return world.status
    return world.status.model_copy(update={"progress": bounded(world.progress)})


def bounded(progress: Progress) -> TrainingProgress:
    """Return progress within the limits of the status, without a best value of NaN.

    The image of the trainer may be anybody's, and report anything.
    """
    return TrainingProgress(
        phase=progress.phase[:64],
        trialsDone=_trials(progress.trialsDone),
        trialsTotal=_trials(progress.trialsTotal),
        best=_best(progress.best) if progress.best else None,
    )


def _trials(count: int) -> int:
    return min(max(count, 0), _MOST_TRIALS)


def _best(best: Best) -> BestSoFar | None:
    if not isfinite(best.value) or abs(best.value) > _LARGEST_VALUE:
        return None
    return BestSoFar(kind=best.kind[:256], metric=best.metric, value=f"{best.value:.4f}")
