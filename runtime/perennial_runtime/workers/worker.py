"""A worker process: a whole server that shares its ports and tells what it counts to its siblings.

Run by the supervisor as ``python -m perennial_runtime.workers.worker DESCRIPTOR``.
"""

import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from socket import socket
from typing import TYPE_CHECKING, Any

from .. import log
from ..app import INLINE_SECONDS
from ..cli import ended, explained
from ..errors import LoadError
from ..frontends.listener import BACKLOG
from ..metrics import Metrics
from ..metrics_view import MetricsView
from ..settings import Settings
from .messages import Admit, Channel, Failed, Fetched, Live, Loaded, Ready, Start, Stop
from .peer_metrics import PeerMetrics
from .single_process import SingleProcess

if TYPE_CHECKING:
    from ..engine.model import Model


class WorkerProcess(SingleProcess):
    """One of several processes."""

    def __init__(self, start: Start, channel: Channel) -> None:
        self.instance = start.instance
        self.number = start.number
        self._start = start
        self._channel = channel

    def attend(self, events: "SimpleQueue[Any]", admit: Callable[[], None]) -> None:
        """Signals come from the supervisor only: it has them blocked here, so that one that goes
        to the whole group of processes does not count twice."""

        def hear() -> None:
            for message in self._channel.heard():
                if isinstance(message, Stop):
                    events.put(message.signal)
                elif isinstance(message, Admit):
                    admit()
                    self._channel.tell(Ready())
            os._exit(1)  # the supervisor was killed

        threading.Thread(target=hear, name="supervisor", daemon=True).start()

    def listen(self, settings: Settings) -> list[socket]:
        """Its own sockets of the ports that all share: the kernel deals out connections to those
        that listen."""
        listeners = [socket(fileno=descriptor) for descriptor in self._start.sockets]
        for listener in listeners:
            listener.listen(BACKLOG)
        return listeners

    def view(self, metrics: Metrics) -> MetricsView:
        return PeerMetrics(metrics, self._start.directory, self.number)

    def live(self, host: str, ports: list[int]) -> None:
        self._channel.tell(Live())

    def fetched(self, digest: str) -> None:
        self._channel.tell(Fetched(digest))

    def loaded(self, model: "Model", facts: dict[str, object]) -> None:
        log.info("loaded", **facts)
        self._channel.tell(Loaded(is_quick=model.seconds <= INLINE_SECONDS))


def main() -> int:
    """Serves as the supervisor says; the exit code."""
    from ..server import serve

    channel = Channel(socket(fileno=int(sys.argv[1])))
    start: Start = next(channel.heard())
    log.configure(start.settings.log_format, worker=start.number)
    with explained(lambda message: channel.tell(Failed(message))):
        result = serve(start.settings, WorkerProcess(start, channel))
        if not isinstance(result, LoadError):
            return ended(result)
        channel.tell(Failed(result.message, result.reason))
    return ended(1)


if __name__ == "__main__":
    sys.exit(main())
