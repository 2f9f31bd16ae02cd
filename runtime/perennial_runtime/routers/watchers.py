"""Clients that watch over gRPC whether the server is ready."""

from dataclasses import dataclass
from threading import Lock

from ..errors import UnavailableError
from ..frontends import Call
from ..protocol.grpc import health
from ..protocol.grpc.status import code_of
from .server_state import ServerState

MAX_WATCHERS = 1024


@dataclass(eq=False)
class _Watcher:
    call: Call
    service: str
    last: bytes = b""
    """The last message."""

    def update(self, ready: bool) -> bool:
        """Send the state if it has changed; return whether the client is still connected."""
        message = health.status(self.service, ready)
        if message == self.last:
            return not self.call.cancelled
        self.last = message
        return self.call.respond_grpc(message, more=True)


class Watchers:
    """Sends the state to each client, at once and after each change.

    Thread-safe.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._lock = Lock()
        self._watchers: list[_Watcher] = []
        state.on_change = self._notify

    def add(self, call: Call, service: str) -> None:
        """Send the state of ``service`` to a client, and keep the call open.

        Raises:
            UnavailableError: if there are too many watchers, or the server is shutting down.
        """
        with self._lock:
            if self._state.has_ended:
                raise _shutting_down()
            if len(self._watchers) >= MAX_WATCHERS:
                self._watchers = [each for each in self._watchers if not each.call.cancelled]
            if len(self._watchers) >= MAX_WATCHERS:
                raise UnavailableError(
                    f"{MAX_WATCHERS} clients are watching already. Retry in a second"
                )
            watcher = _Watcher(call, service)
            if watcher.update(self._state.is_ready):
                self._watchers.append(watcher)

    def _notify(self) -> None:
        with self._lock:
            if self._state.has_ended:
                for watcher in self._watchers:
                    watcher.call.fail_grpc(code_of(_shutting_down()), str(_shutting_down()))
                self._watchers.clear()
            ready = self._state.is_ready
            self._watchers = [each for each in self._watchers if each.update(ready)]


def _shutting_down() -> UnavailableError:
    return UnavailableError("the server is shutting down")
