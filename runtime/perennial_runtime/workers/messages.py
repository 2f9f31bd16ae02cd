"""What the processes of one server tell each other, over a socket that only the two of them hold.

They are the same program of the same version, so what goes over it is pickled.
"""

import contextlib
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from perennial_contracts.wire.outcome import LoadFailure

from ..settings import Settings


@dataclass(frozen=True)
class Start:
    """The first message to a worker: what it is to do."""

    settings: Settings
    number: int
    """Counts from 1."""
    instance: str
    """Names all the workers together."""
    directory: Path
    """Where their siblings find them."""
    sockets: tuple[int, ...]
    """File descriptors."""


@dataclass(frozen=True)
class Stop:
    """To a worker: a signal came."""

    signal: int


@dataclass(frozen=True)
class Admit:
    """To a worker: all have loaded the model, so it is to be ready."""


@dataclass(frozen=True)
class Live:
    """From a worker: it answers, though not with the model yet."""


@dataclass(frozen=True)
class Fetched:
    """From a worker: the model lies in the cache."""

    digest: str


@dataclass(frozen=True)
class Loaded:
    """From a worker: it can answer with the model."""

    is_quick: bool
    """Whether the time of a request goes into Python rather than into the model."""


@dataclass(frozen=True)
class Ready:
    """From a worker: it says so itself from now on."""


@dataclass(frozen=True)
class Failed:
    """From a worker, before it ends: why."""

    message: str
    reason: LoadFailure | None = None
    """Where it is the model that did not load."""


class Channel:
    """One end of it."""

    def __init__(self, end: socket) -> None:
        self._end = end
        self._reader = end.makefile("rb")

    def tell(self, message: object) -> None:
        """Tells the other process, if it is still there."""
        with contextlib.suppress(OSError):
            self._end.sendall(pickle.dumps(message))

    def heard(self) -> Iterator[Any]:
        """What the other tells, until it ends."""
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                yield pickle.load(self._reader)
