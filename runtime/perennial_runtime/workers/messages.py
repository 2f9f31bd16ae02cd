"""Messages between the supervisor and a worker, over a private socket.

Both are the same version of the same program, so messages are pickled.
"""

import contextlib
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from perennial_contracts.wire.outcome import LoadFailure

from ..settings import RuntimeSettings


@dataclass(frozen=True)
class Start:
    """The first message to a worker."""

    settings: RuntimeSettings
    number: int
    """Number of the worker, from 1."""
    instance: str
    """Id of all workers together."""
    directory: Path
    """Folder of the sockets that answer the other workers."""
    sockets: tuple[int, ...]
    """File descriptors of the ports to serve."""


@dataclass(frozen=True)
class Stop:
    """To a worker: a signal arrived."""

    signal: int


@dataclass(frozen=True)
class Admit:
    """To a worker: all workers have loaded the model, so become ready."""


@dataclass(frozen=True)
class Live:
    """From a worker: it answers, without a model so far."""


@dataclass(frozen=True)
class ModelFetched:
    """From a worker: the model is in the cache."""

    digest: str


@dataclass(frozen=True)
class Loaded:
    """From a worker: the model can answer."""

    is_quick: bool
    """True if a request spends its time in Python rather than in the model."""


@dataclass(frozen=True)
class Ready:
    """From a worker: its readiness probe succeeds from now on."""


@dataclass(frozen=True)
class Failed:
    """From a worker, before it ends: the cause."""

    message: str
    reason: LoadFailure | None = None
    """Set if the model did not load."""


WorkerMessage = Live | ModelFetched | Loaded | Ready | Failed
SupervisorMessage = Start | Stop | Admit


class Channel:
    """One end of the connection between the supervisor and a worker."""

    def __init__(self, end: socket) -> None:
        self._end = end
        self._reader = end.makefile("rb")

    def send(self, message: WorkerMessage | SupervisorMessage) -> None:
        """Send a message. Does nothing if the other process has ended."""
        with contextlib.suppress(OSError):
            self._end.sendall(pickle.dumps(message))

    def receive(self) -> Iterator[object]:
        """Yield the messages of the other process until it ends."""
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                yield pickle.load(self._reader)
