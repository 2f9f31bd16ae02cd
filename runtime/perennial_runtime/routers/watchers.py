"""Those who watch by gRPC whether the server is ready."""

from dataclasses import dataclass
from threading import Lock

from ..errors import UnavailableError
from ..frontends import Call
from ..protocol.grpc import health
from ..protocol.grpc.status import code_of
from .server_state import Standing

MOST = 1024
"""Of them at once."""


@dataclass(eq=False)
class _Watcher:
    call: Call
    service: str
    told: bytes = b""

    def tell(self, ready: bool) -> bool:
        """Tells what it was not told last; whether it still listens."""
        now = health.status(self.service, ready)
        if now == self.told:
            return not self.call.cancelled
        self.told = now
        return self.call.respond_grpc(now, more=True)


class Watchers:
    """Each is told how things stand at once, then at each change, until the server ends.

    May be used from several threads at once.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._lock = Lock()
        self._all: list[_Watcher] = []
        standing.changed = self._tell

    def add(self, call: Call, service: str) -> None:
        """Answers ``call``, which is open from now on.

        Raises:
            UnavailableError: where there are too many, or the server ends.
        """
        with self._lock:
            if self._standing.has_ended:
                raise _ending()
            if len(self._all) >= MOST:
                self._all = [each for each in self._all if not each.call.cancelled]
            if len(self._all) >= MOST:
                raise UnavailableError(f"{MOST} clients watch already. Try again in a second")
            watcher = _Watcher(call, service)
            if watcher.tell(self._standing.is_ready):
                self._all.append(watcher)

    def _tell(self) -> None:
        with self._lock:
            if self._standing.has_ended:
                for each in self._all:
                    each.call.fail_grpc(code_of(_ending()), str(_ending()))
                self._all.clear()
            self._all = [each for each in self._all if each.tell(self._standing.is_ready)]


def _ending() -> UnavailableError:
    return UnavailableError("the server ends")
