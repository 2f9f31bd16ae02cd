"""Everything that is to be, for one resource: its children and its status."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from perennial_contracts.api.common import ApiModel

from .conditions import Event
from .monitoring.targets import Target
from .objects import Object

StatusT = TypeVar("StatusT", bound=ApiModel)


@dataclass(frozen=True)
class Plan(Generic[StatusT]):
    """What the cluster is to look like. A live child that is not in it goes."""

    children: list[Object]
    status: StatusT
    events: list[Event]
    """What is told once the status is written."""
    look_again: float | None = None
    """Seconds until the next look, where no event will bring it."""
    watch: Target | None = None
    """What is to be observed from now on."""
    asks: str | None = None
    """Address of the pod that is asked for its training's progress from now on."""
    closes: dict[str, bool] = field(default_factory=dict)
    """The windows that were judged: ``predictions`` and ``labels``."""
