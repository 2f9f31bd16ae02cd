"""Build the conditions and events of a resource."""

from datetime import datetime
from typing import NamedTuple

from perennial_contracts.api.common import Condition

from .clock import to_text


class ConditionState(NamedTuple):
    """The content of a condition, without its type and times."""

    status: str
    """True, False or Unknown."""
    reason: str
    """One CamelCase word for programs."""
    message: str
    """The problem, the facts and the fix, for people. No program reads it."""


class Event(NamedTuple):
    """An event to post once, when it happens."""

    reason: str
    message: str
    warning: bool = False


def to_condition(
    type_: str, state: ConditionState, before: list[Condition], generation: int, now: datetime
) -> Condition:
    """Return the condition for a state. Its time changes only when its status changes."""
    old = next((condition for condition in before if condition.type == type_), None)
    same = old and old.status == state.status
    return Condition(
        type=type_,
        status=state.status,
        observedGeneration=generation,
        lastTransitionTime=old.lastTransitionTime if old and same else to_text(now),
        reason=state.reason,
        message=state.message,
    )
