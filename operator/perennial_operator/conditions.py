"""What is said about one aspect of a resource."""

from datetime import datetime
from typing import NamedTuple

from perennial_contracts.api.common import Condition

from .clock import to_text


class Verdict(NamedTuple):
    """The state of one aspect: True, False or Unknown, why, and in words."""

    status: str
    reason: str
    message: str


class Event(NamedTuple):
    """What is told once, when it happens."""

    reason: str
    message: str
    warning: bool = False


def to_condition(
    type_: str, verdict: Verdict, before: list[Condition], generation: int, now: datetime
) -> Condition:
    """The condition for a verdict; its time changes only with its status."""
    old = next((condition for condition in before if condition.type == type_), None)
    same = old and old.status == verdict.status
    return Condition(
        type=type_,
        status=verdict.status,
        observedGeneration=generation,
        lastTransitionTime=old.lastTransitionTime if old and same else to_text(now),
        reason=verdict.reason,
        message=verdict.message,
    )
