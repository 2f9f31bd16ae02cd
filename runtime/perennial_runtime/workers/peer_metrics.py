"""What all the worker processes of a server have counted, whichever of them is asked.

Each listens on a socket in a folder that is only theirs, and when it ends leaves its last counts
beside it. Who is not there has not begun to serve, so has counted nothing; who is there, does not
answer and has left nothing makes the whole unknown, and that is told rather than a sum that is
wrong.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from .. import log
from ..errors import UnavailableError
from ..metrics import Metrics, RunTotals, exposition
from ..metrics_view import MetricsView
from .metric_families import from_json, lasting, merged_families, to_json

if TYPE_CHECKING:
    from perennial_contracts.wire.counters import Counters

ANSWER_SECONDS = 2.0
_LENGTH = struct.Struct(">Q")


class PeerMetrics(MetricsView):
    """Of all the workers. What it tells takes waiting: never ask it where requests are read."""

    def __init__(self, metrics: Metrics, directory: Path, number: int) -> None:
        """Listens in ``directory`` as worker ``number``."""
        super().__init__(metrics)
        self._directory = directory
        self._name = str(number)
        self.apart = ThreadPoolExecutor(1, "gather").submit
        self._tell: dict[bytes, Callable[[], bytes]] = {
            b"counters": lambda: MetricsView.counters(self).model_dump_json().encode(),
            b"runs": lambda: orjson.dumps(list(MetricsView.runs(self))),
            b"metrics": lambda: to_json(metrics.families()),
        }
        self._path = directory / self._name
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(self._path))
        self._door.listen(64)
        self._thread = threading.Thread(target=self._answer, name="siblings", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answers its siblings no more: they find what it has counted beside its socket."""
        try:
            self._leave("metrics", to_json(lasting(self._metrics.families())))
            self._leave("runs", self._tell[b"runs"]())
            self._leave("counters", self._tell[b"counters"]())
        except UnavailableError:  # there was no model
            pass
        except OSError as error:
            log.warning(f"its last counts were not left to the other workers: {error}")
        self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._door.close()

    def counters(self) -> "Counters":
        from perennial_contracts.wire.counters import Counters, merged

        told = [Counters.model_validate_json(part) for part in self._ask(b"counters")]
        return merged([super().counters(), *told])

    def runs(self) -> RunTotals:
        told = [orjson.loads(part) for part in self._ask(b"runs")]
        return RunTotals(*map(sum, zip(super().runs(), *told, strict=True)))

    def text(self) -> bytes:
        told = [from_json(part) for part in self._ask(b"metrics")]
        return exposition(merged_families([self._metrics.families(), *told]))

    def _leave(self, what: str, counted: bytes) -> None:
        new = self._path.with_suffix(".new")
        new.write_bytes(counted)
        new.rename(self._path.with_suffix(f".{what}"))

    def _ask(self, what: bytes) -> list[bytes]:
        """What each of the others answers, or has left.

        Raises:
            UnavailableError: where one does not answer and has left nothing.
        """
        names = {path.name for path in self._directory.iterdir() if not path.suffix}
        others = [self._directory / name for name in sorted(names - {self._name})]
        with contextlib.ExitStack() as stack:
            asked = [(path, _asked(stack, path, what)) for path in others]
            return [_told(path, other, what) for path, other in asked]

    def _answer(self) -> None:
        while True:
            try:
                other, _ = self._door.accept()
            except OSError:  # it is closed
                return
            with other:
                other.settimeout(ANSWER_SECONDS)
                try:
                    answer = self._tell[_all(other)]()
                    other.sendall(_LENGTH.pack(len(answer)) + answer)
                except (OSError, UnavailableError):
                    pass  # whoever gets no answer knows what that means
                except Exception as error:
                    log.error("a sibling got no answer", traceback=error)


def _asked(stack: contextlib.ExitStack, path: Path, what: bytes) -> socket.socket | None:
    """A connection to who listens there, over which it was asked; None where nobody does."""
    other = stack.enter_context(socket.socket(socket.AF_UNIX))
    other.settimeout(ANSWER_SECONDS)
    try:
        other.connect(str(path))
        other.sendall(what)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        return None
    return other


def _told(path: Path, other: socket.socket | None, what: bytes) -> bytes:
    """What it answers, or what it left beside its socket when it ended."""
    try:
        if other is not None:
            return _received(other)
    except OSError:  # it ended with the question on its way
        pass
    try:
        return path.with_suffix(f".{what.decode()}").read_bytes()
    except OSError as error:
        raise UnavailableError(
            "not all worker processes have told what they counted. Try again in a second"
        ) from error


def _all(other: socket.socket) -> bytes:
    """What comes until the other has no more to say."""
    return b"".join(iter(lambda: other.recv(1 << 18), b""))


def _received(other: socket.socket) -> bytes:
    """One answer, whole; OSError where it is not."""
    data = _all(other)
    if len(data) < _LENGTH.size or _LENGTH.unpack_from(data)[0] != len(data) - _LENGTH.size:
        raise ConnectionError("the answer was cut off")
    return data[_LENGTH.size :]
