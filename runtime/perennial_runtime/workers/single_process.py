"""A serving process and its surroundings; here the only process of a server."""

import signal
from collections.abc import Callable
from socket import socket
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import log
from ..events import Events, SignalReceived
from ..frontends.listener import listen
from ..metrics import Metrics
from ..metrics_view import MetricsView
from ..settings import RuntimeSettings

if TYPE_CHECKING:
    from ..engine.model import LoadedModel


class SingleProcess:
    """The only process of a server. A worker process overrides the differences."""

    number = 0
    """Number of the worker; 0 for the only process."""

    def __init__(self) -> None:
        self.instance = uuid4().hex
        """Id of the processes whose counters are added up."""

    def connect(self, events: Events, admit: Callable[[], None]) -> None:
        """Put signals into ``events``. Calling ``admit`` makes the server ready."""
        self._admit = admit
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, frame: events.put(SignalReceived(received)))

    def listen(self, settings: RuntimeSettings) -> list[socket]:
        """Return the sockets to serve.

        Raises:
            ListenError: if a port cannot be listened on.
        """
        listeners = [listen(settings.host, settings.http_port)]
        if settings.grpc_port is not None:
            listeners.append(listen(settings.host, settings.grpc_port))
        return listeners

    def metrics_view(self, metrics: Metrics) -> MetricsView:
        """Return the view that answers requests for metrics."""
        return MetricsView(metrics)

    def report_live(self, host: str, ports: list[int]) -> None:
        """Report that the server answers, without a model so far."""
        log.info("live", host=host, port=ports[0], grpc_port=ports[-1])

    def report_fetched(self, digest: str) -> None:
        """Report that the model is in the cache."""

    def report_loaded(self, model: "LoadedModel", facts: dict[str, object]) -> None:
        """Report that the model can answer, and make the server ready."""
        self._admit()
        log.info("ready", **facts)
