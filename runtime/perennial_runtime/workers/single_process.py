"""The process that serves, and what is around it: nothing, where it is the only one."""

import signal
from collections.abc import Callable
from queue import SimpleQueue
from socket import socket
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .. import log
from ..frontends.listener import listen
from ..metrics import Metrics
from ..metrics_view import MetricsView
from ..settings import Settings

if TYPE_CHECKING:
    from ..engine.model import Model


class SingleProcess:
    """The only process there is. The others' kind overrides what differs."""

    number = 0
    """Of the worker; 0 for the only process."""

    def __init__(self) -> None:
        self.instance = uuid4().hex
        """Names those who have counted together what they tell."""

    def attend(self, events: "SimpleQueue[Any]", admit: Callable[[], None]) -> None:
        """Puts signals among the events; ``admit`` makes it ready."""
        self._admit = admit
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, frame: events.put(received))

    def listen(self, settings: Settings) -> list[socket]:
        """The sockets to serve.

        Raises:
            ListenError: where a port cannot be listened on.
        """
        listeners = [listen(settings.host, settings.http_port)]
        if settings.grpc_port is not None:
            listeners.append(listen(settings.host, settings.grpc_port))
        return listeners

    def view(self, metrics: Metrics) -> MetricsView:
        """What is told of what was counted."""
        return MetricsView(metrics)

    def live(self, host: str, ports: list[int]) -> None:
        """Tells that it answers, though not with the model yet."""
        log.info("live", host=host, port=ports[0], grpc_port=ports[-1])

    def fetched(self, digest: str) -> None:
        """Tells that the model lies in the cache."""

    def loaded(self, model: "Model", facts: dict[str, object]) -> None:
        """Sees to it that it becomes ready, and tells so."""
        self._admit()
        log.info("ready", **facts)
