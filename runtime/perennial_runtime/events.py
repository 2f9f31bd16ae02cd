"""Events that the main thread of a serving process waits for."""

from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from .errors import LoadError

if TYPE_CHECKING:
    from .service import Service


@dataclass(frozen=True)
class SignalReceived:
    """SIGTERM or SIGINT, from the system or from the supervisor."""

    number: int


@dataclass(frozen=True)
class ModelLoaded:
    """The model can answer."""

    service: "Service"


@dataclass(frozen=True)
class LoadFailed:
    """The model cannot be served."""

    error: LoadError


@dataclass(frozen=True)
class FrontendEnded:
    """The frontend has stopped. Before the server drains, that is an error."""

    error: BaseException | None = None


Event = SignalReceived | ModelLoaded | LoadFailed | FrontendEnded
Events = SimpleQueue[Event]
