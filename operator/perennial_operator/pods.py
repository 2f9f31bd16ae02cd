"""Read the status that Kubernetes reports for Jobs, pods and containers."""

from typing import NamedTuple

from .objects import Object


class JobEnding(NamedTuple):
    """The end of a Job or TrainJob, as its condition reports it."""

    type: str
    """Complete or Failed."""
    reason: str
    time: str


def ending_of(job: Object) -> JobEnding | None:
    """Return how a Job or TrainJob ended; None while it runs."""
    for type_ in ("Complete", "Failed"):
        condition = condition_of(job, type_)
        if condition and condition["status"] == "True":
            return JobEnding(type_, condition.get("reason", ""), condition["lastTransitionTime"])
    return None


def is_complete(job: Object | None) -> bool:
    """Return whether a Job or TrainJob has succeeded."""
    ending = ending_of(job) if job else None
    return ending is not None and ending.type == "Complete"


def condition_of(obj: Object, type_: str) -> Object | None:
    """Return the condition of a type in the status of a built-in kind."""
    for condition in obj.get("status", {}).get("conditions") or ():
        if condition.get("type") == type_:
            found: Object = condition
            return found
    return None


def is_true(obj: Object, type_: str) -> bool:
    """Return whether the condition of a type is True."""
    condition = condition_of(obj, type_)
    return condition is not None and condition.get("status") == "True"


def container_statuses(pod: Object, *, init: bool = True) -> list[Object]:
    """Return the status of each container; init containers first, if included."""
    status = pod.get("status", {})
    first = (status.get("initContainerStatuses") or ()) if init else ()
    return [*first, *(status.get("containerStatuses") or ())]


def state_of(pod: Object, container: str) -> Object:
    """Return the state of a container; empty if the kubelet has not reported it."""
    for status in container_statuses(pod):
        if status["name"] == container:
            state: Object = status.get("state") or {}
            return state
    return {}


def is_running(pod: Object, container: str) -> bool:
    """Return whether a container runs."""
    return "running" in state_of(pod, container)


def termination_of(pod: Object, container: str) -> Object | None:
    """Return the exit code, reason and message of a container that has ended."""
    terminated: Object | None = state_of(pod, container).get("terminated")
    return terminated
