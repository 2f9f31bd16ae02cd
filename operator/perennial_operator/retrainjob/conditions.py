"""Which steps of a run have ended, and what its conditions say of each."""

from typing import NamedTuple

from perennial_contracts.api.common import Condition
from perennial_contracts.api.retrainjob_status import (
    ASSEMBLED,
    JUDGED,
    SUCCEEDED,
    TRAINED,
    RunReason,
)
from perennial_contracts.wire.run_plan import ASSEMBLE, JUDGE, TRAIN

from ..conditions import Event, Verdict
from ..objects import Object


class Step(NamedTuple):
    """A step, by its container and by the condition that tells of it."""

    container: str
    condition: str
    reason: RunReason
    """Of the condition while the step runs."""
    running: str
    done: str


STEPS = (
    Step(
        ASSEMBLE,
        ASSEMBLED,
        RunReason.ASSEMBLING,
        "Captured rows are joined with their labels.",
        "Rows to learn from and rows to judge on are written.",
    ),
    Step(
        TRAIN,
        TRAINED,
        RunReason.TRAINING,
        "A challenger is trained.",
        "A challenger is trained and written.",
    ),
    Step(
        JUDGE,
        JUDGED,
        RunReason.JUDGING,
        "Challenger and champion are compared on the same rows.",
        "Challenger and champion are compared.",
    ),
)


def ended_in(pod: Object, before: int = 0) -> int:
    """How many steps have ended well, one after the other: those before a pod, and in it."""
    count = before
    for step in STEPS[before:]:
        ended = state_of(pod, step.container).get("terminated")
        if not ended or ended.get("exitCode") != 0:
            break
        count += 1
    return count


def known_ended(conditions: list[Condition]) -> int:
    """How many steps had ended well when the conditions were written."""
    true = {condition.type for condition in conditions if condition.status == "True"}
    count = 0
    for step in STEPS:
        if step.condition not in true:
            break
        count += 1
    return count


def running_in(pod: Object) -> Verdict | None:
    """What the last step that was begun in a pod is at; None where none was."""
    for step in reversed(STEPS):
        state = state_of(pod, step.container)
        if "running" in state or "terminated" in state:
            return Verdict("Unknown", step.reason, step.running)
    return None


def verdicts(whole: Verdict, ended: int) -> dict[str, Verdict]:
    """Every condition of a run, by type.

    Args:
        whole: what is said of the run. The step that it is at, or failed at, says the same.
        ended: how many steps have ended well.
    """
    told: dict[str, Verdict] = {}
    for place, step in enumerate(STEPS):
        if whole.status == "True" or place < ended:
            told[step.condition] = Verdict("True", RunReason.COMPLETED, step.done)
        elif place == ended:
            told[step.condition] = whole
        elif whole.status == "False":
            message = f"The run ended before: {whole.reason}."
            told[step.condition] = Verdict("Unknown", RunReason.NOT_REACHED, message)
        else:
            told[step.condition] = Verdict("Unknown", RunReason.NOT_REACHED, "Comes later.")
    return {**told, SUCCEEDED: whole}


def news(before: list[Condition], told: dict[str, Verdict]) -> list[Event]:
    """What changed, each change once: the steps that have ended, and what is said of the whole."""
    old = {each.type: (each.status, each.reason) for each in before}
    events = []
    for type_, verdict in told.items():
        if old.get(type_) == (verdict.status, verdict.reason):
            continue
        if verdict.reason == RunReason.COMPLETED:
            events.append(Event(type_, verdict.message))
        elif type_ == SUCCEEDED:
            warning = verdict.status == "False"
            events.append(Event(verdict.reason, verdict.message, warning=warning))
    return events


def state_of(pod: Object, container: str) -> Object:
    """The state of a container; empty where nothing is known of it."""
    status = pod.get("status", {})
    for each in (
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ):
        if each["name"] == container:
            state: Object = each.get("state") or {}
            return state
    return {}
