"""The outcome of a decision: the children of a resource, and its status."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from perennial_contracts.api.common import ApiModel

from .conditions import Event
from .objects import Object

StatusT = TypeVar("StatusT", bound=ApiModel)


@dataclass(frozen=True)
class ResourcePlan(Generic[StatusT]):
    """The wanted state of one resource. Each resource's own plan adds to it."""

    children: list[Object]
    """Children to create or update. A live child that is not among them is deleted."""
    status: StatusT
    """Status to write once the children are applied."""
    events: list[Event]
    """Events to post once the status is written."""
    look_again: float | None = field(default=None, kw_only=True)
    """Seconds until the next reconciliation, if no event will start one."""
