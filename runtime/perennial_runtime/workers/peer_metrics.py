"""Metrics of all worker processes, from whichever worker receives the request.

Each worker listens on a Unix socket in a private folder of the server. When it ends, it stores its
last counts next to that socket. A worker without a socket has not begun to serve, so it has counted
nothing. If a worker has a socket, does not answer and has stored nothing, the sum is unknown: the
request fails with 503, because a wrong sum would be worse.
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
from .metric_families import from_json, merge_families, to_json, without_gauges

if TYPE_CHECKING:
    from perennial_contracts.wire.counters import Counters

ANSWER_SECONDS = 2.0
_LENGTH = struct.Struct(">Q")


class PeerMetrics(MetricsView):
    """Metrics of all workers.

    The methods block, so never call them in the frontend's thread.
    """

    def __init__(self, metrics: Metrics, directory: Path, number: int) -> None:
        """Listen in ``directory`` as worker ``number``."""
        super().__init__(metrics)
        self._directory = directory
        self._name = str(number)
        self.submit = ThreadPoolExecutor(1, "gather").submit
        self._answers: dict[bytes, Callable[[], bytes]] = {
            b"counters": lambda: MetricsView.counters(self).model_dump_json().encode(),
            b"runs": lambda: orjson.dumps(list(MetricsView.runs(self))),
            b"metrics": lambda: to_json(metrics.families()),
        }
        self._path = directory / self._name
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._answer_peers, name="peers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Store the counts for the other workers, and answer them no more."""
        try:
            self._store("metrics", to_json(without_gauges(self._metrics.families())))
            self._store("runs", self._answers[b"runs"]())
            self._store("counters", self._answers[b"counters"]())
        except UnavailableError:  # no model was loaded
            pass
        except OSError as error:
            log.warning(f"cannot store the last counts for the other workers: {error}")
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def counters(self) -> "Counters":
        """Return the sum of the workers' counters."""
        from perennial_contracts.wire.counters import Counters, merged

        peers = [Counters.model_validate_json(part) for part in self._query(b"counters")]
        return merged([super().counters(), *peers])

    def runs(self) -> RunTotals:
        """Return the sum of the workers' runs."""
        peers = [orjson.loads(part) for part in self._query(b"runs")]
        return RunTotals(*map(sum, zip(super().runs(), *peers, strict=True)))

    def text(self) -> bytes:
        """Return the sum of the workers' metrics, as Prometheus reads them."""
        peers = [from_json(part) for part in self._query(b"metrics")]
        return exposition(merge_families([self._metrics.families(), *peers]))

    def _store(self, topic: str, counts: bytes) -> None:
        new = self._path.with_suffix(".new")
        new.write_bytes(counts)
        new.rename(self._path.with_suffix(f".{topic}"))

    def _query(self, topic: bytes) -> list[bytes]:
        """Return the response, or the stored counts, of each other worker.

        Raises:
            UnavailableError: if a worker does not answer and has stored nothing.
        """
        names = {path.name for path in self._directory.iterdir() if not path.suffix}
        others = [self._directory / name for name in sorted(names - {self._name})]
        with contextlib.ExitStack() as stack:
            requests = [(path, _send_request(stack, path, topic)) for path in others]
            return [_response(path, connection, topic) for path, connection in requests]

    def _answer_peers(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it is closed
                return
            with connection:
                connection.settimeout(ANSWER_SECONDS)
                try:
                    response = self._answers[_read_all(connection)]()
                    connection.sendall(_LENGTH.pack(len(response)) + response)
                except (OSError, UnavailableError):
                    pass  # without a response, the other worker reports 503
                except Exception as error:
                    log.error("cannot answer another worker", traceback=error)


def _send_request(stack: contextlib.ExitStack, path: Path, topic: bytes) -> socket.socket | None:
    """Send a request to a worker. Return the connection; None if none listens."""
    connection = stack.enter_context(socket.socket(socket.AF_UNIX))
    connection.settimeout(ANSWER_SECONDS)
    try:
        connection.connect(str(path))
        connection.sendall(topic)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return None
    return connection


def _response(path: Path, connection: socket.socket | None, topic: bytes) -> bytes:
    """Return the response of a worker, or the counts that it stored when it ended."""
    try:
        if connection is not None:
            return _read_response(connection)
    except OSError:  # it ended before it answered
        pass
    try:
        return path.with_suffix(f".{topic.decode()}").read_bytes()
    except OSError as error:
        raise UnavailableError(
            "not all worker processes have reported their counts. Retry in a second"
        ) from error


def _read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 18), b""))


def _read_response(connection: socket.socket) -> bytes:
    """Return a complete response; raise OSError if it is cut off."""
    data = _read_all(connection)
    if len(data) < _LENGTH.size or _LENGTH.unpack_from(data)[0] != len(data) - _LENGTH.size:
        raise ConnectionError("the response was cut off")
    return data[_LENGTH.size :]
