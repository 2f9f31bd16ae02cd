"""A worker process: a server that shares ports and metrics with the others.

The supervisor runs it as ``python -m perennial_runtime.workers.worker DESCRIPTOR``.
"""

import os
import sys
import threading
from collections.abc import Callable
from socket import socket
from typing import TYPE_CHECKING

from .. import log
from ..app import INLINE_SECONDS
from ..cli import end_process, report_invalid_settings
from ..errors import LoadError
from ..events import Events, SignalReceived
from ..frontends.listener import BACKLOG
from ..metrics import Metrics
from ..metrics_view import MetricsView
from ..settings import RuntimeSettings
from .messages import Admit, Channel, Failed, Live, Loaded, ModelFetched, Ready, Start, Stop
from .peer_metrics import PeerMetrics
from .single_process import SingleProcess

if TYPE_CHECKING:
    from ..engine.model import LoadedModel


class WorkerProcess(SingleProcess):
    """One of several processes."""

    def __init__(self, start: Start, channel: Channel) -> None:
        self.instance = start.instance
        self.number = start.number
        self._start = start
        self._channel = channel

    def connect(self, events: Events, admit: Callable[[], None]) -> None:
        """Put the supervisor's signals into ``events``.

        The supervisor blocked signals in this process: one that is sent to the whole process group
        must not count twice.
        """

        def receive() -> None:
            for message in self._channel.receive():
                match message:
                    case Stop(number):
                        events.put(SignalReceived(number))
                    case Admit():
                        admit()
                        self._channel.send(Ready())
            os._exit(1)  # the supervisor was killed

        threading.Thread(target=receive, name="supervisor", daemon=True).start()

    def listen(self, settings: RuntimeSettings) -> list[socket]:
        """Return this worker's sockets of the shared ports.

        The kernel distributes connections among the sockets that listen.
        """
        listeners = [socket(fileno=descriptor) for descriptor in self._start.sockets]
        for listener in listeners:
            listener.listen(BACKLOG)
        return listeners

    def metrics_view(self, metrics: Metrics) -> MetricsView:
        """Return the view over the metrics of all workers."""
        return PeerMetrics(metrics, self._start.directory, self.number)

    def report_live(self, host: str, ports: list[int]) -> None:
        """Report to the supervisor that the worker answers."""
        self._channel.send(Live())

    def report_fetched(self, digest: str) -> None:
        """Report the digest to the supervisor, which then starts the other workers."""
        self._channel.send(ModelFetched(digest))

    def report_loaded(self, model: "LoadedModel", facts: dict[str, object]) -> None:
        """Report that the model can answer. All workers become ready together."""
        log.info("loaded", **facts)
        self._channel.send(Loaded(is_quick=model.seconds <= INLINE_SECONDS))


def main() -> int:
    """Serve with the settings from the supervisor. Return the exit code."""
    from ..server import serve

    channel = Channel(socket(fileno=int(sys.argv[1])))
    start = next(channel.receive())
    assert isinstance(start, Start)
    log.configure(start.settings.log_format, worker=start.number)
    with report_invalid_settings(lambda message: channel.send(Failed(message))):
        result = serve(start.settings, WorkerProcess(start, channel))
        if not isinstance(result, LoadError):
            return end_process(result)
        channel.send(Failed(result.message, result.reason))
    return end_process(1)


if __name__ == "__main__":
    sys.exit(main())
