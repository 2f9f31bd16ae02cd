"""Run the worker processes of one server, which become ready and end together.

The first worker fetches the model. Its digest starts the other workers, which find the model in the
cache. When all have loaded it, all become ready. When one ends, all end.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from socket import socket, socketpair
from uuid import uuid4

from .. import log
from ..cgroup import available_threads
from ..errors import LoadError
from ..events import SignalReceived
from ..frontends.listener import ListenError, listen, share_port
from ..settings import RuntimeSettings
from .messages import Admit, Channel, Failed, Live, Loaded, ModelFetched, Ready, Start, Stop

SIGNALS = (signal.SIGTERM, signal.SIGINT)
PREFIX = "workers-"
YOUNG_SECONDS = 60
MAX_SOCKET_PATH = 100
"""Maximum bytes of a Unix socket's path. The systems allow a few more."""


@dataclass(frozen=True)
class _MessageReceived:
    """A worker sent a message."""

    worker: int
    message: object


@dataclass(frozen=True)
class _WorkerEnded:
    """A worker process has ended."""

    worker: int
    code: int


_Events = SimpleQueue[SignalReceived | _MessageReceived | _WorkerEnded]


def supervise(settings: RuntimeSettings, workers: int) -> LoadError | int:
    """Serve with several processes until a signal arrives.

    Returns:
        The exit code, or the error if the model does not load.

    Raises:
        ListenError: if a port cannot be listened on, or cannot be shared.
    """
    if settings.workers and not settings.threads:
        settings = replace(settings, threads=max(1, available_threads() // workers))
    events: _Events = SimpleQueue()
    for number in SIGNALS:
        signal.signal(number, lambda received, frame: events.put(SignalReceived(received)))
    with _private_directory(settings.cache_dir) as directory:
        ports = [settings.http_port]
        if settings.grpc_port is not None:
            ports.append(settings.grpc_port)
        by_port = [share_port(listen(settings.host, port), workers) for port in ports]
        by_worker = list(zip(*by_port, strict=True))
        return _Supervisor(settings, directory, by_worker, events).run()


class _Supervisor:
    """State of a server of several workers."""

    def __init__(
        self,
        settings: RuntimeSettings,
        directory: Path,
        sockets: list[tuple[socket, ...]],
        events: _Events,
    ) -> None:
        """Prepare to start a worker for each tuple of ``sockets``."""
        self._settings = settings
        self._directory = directory
        self._sockets = dict(enumerate(sockets, 1))
        self._ports = [each.getsockname()[1] for each in sockets[0]]
        self._events = events
        self._instance = uuid4().hex
        self._channels: dict[int, Channel] = {}
        """Channels of the running workers."""
        self._expected = len(sockets)
        self._loaded: set[int] = set()
        self._ready: set[int] = set()
        self._is_stopping = False
        self._failure: Failed | None = None
        self._code = 0

    def run(self) -> LoadError | int:
        """Start the first worker, and handle events until the last worker has ended."""
        self._start(1)
        while self._channels:
            match self._events.get():
                case SignalReceived(number):
                    self._stop(number)
                case _MessageReceived(worker, message):
                    self._handle(worker, message)
                case _WorkerEnded(worker, code):
                    self._handle_end(worker, code)
        if self._failure and self._failure.reason:
            return LoadError(self._failure.reason, self._failure.message)
        return self._code

    def _start(self, number: int) -> None:
        sockets = self._sockets.pop(number)
        own_end, worker_end = socketpair()
        descriptors = tuple(each.fileno() for each in sockets)
        # Workers get signals by message: a signal to the whole process group must not count twice,
        # and one that arrives before Python is ready must not be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "perennial_runtime.workers.worker"),
                str(worker_end.fileno()),
            ],
            pass_fds=(worker_end.fileno(), *descriptors),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        worker_end.close()
        for each in sockets:
            each.close()  # a port is free when its workers have ended
        channel = self._channels[number] = Channel(own_end)
        channel.send(Start(self._settings, number, self._instance, self._directory, descriptors))

        def receive() -> None:
            for message in channel.receive():
                self._events.put(_MessageReceived(number, message))
            self._events.put(_WorkerEnded(number, process.wait()))

        threading.Thread(target=receive, name=f"worker-{number}", daemon=True).start()

    def _handle(self, worker: int, message: object) -> None:
        """Handle a message of a worker."""
        match message:
            case Live() if worker == 1:
                log.info(
                    "live", host=self._settings.host, port=self._ports[0], grpc_port=self._ports[-1]
                )
            case ModelFetched(digest) if worker == 1:
                self._settings = replace(self._settings, digest=digest)
                if self._settings.workers is not None:
                    self._start_others()
            case Loaded(is_quick):
                self._loaded.add(worker)
                if self._settings.workers is None and worker == 1:
                    if not is_quick:
                        self._expected = 1
                    self._start_others()
                if len(self._loaded) == self._expected:
                    for channel in self._channels.values():
                        channel.send(Admit())
            case Ready():
                self._ready.add(worker)
                if len(self._ready) == self._expected:
                    log.info("ready", model=self._settings.name, workers=self._expected)
            case Failed():
                self._fail(message)

    def _handle_end(self, worker: int, code: int) -> None:
        del self._channels[worker]
        if not self._is_stopping:
            log.error(f"worker {worker} {_cause(code)}, so the others end too")
            self._stop(signal.SIGINT)
            self._code = 1
        self._code = self._code or int(code != 0)

    def _start_others(self) -> None:
        """Start the other workers. They find the model by its digest in the cache."""
        if not self._is_stopping:
            for number in range(2, self._expected + 1):
                self._start(number)
        for sockets in self._sockets.values():
            for each in sockets:
                each.close()

    def _fail(self, failure: Failed) -> None:
        if self._failure is None:
            self._failure = failure
            if failure.reason is None:
                log.error(failure.message)
            self._stop(signal.SIGINT)
        self._code = 1

    def _stop(self, number: int) -> None:
        self._is_stopping = True
        for channel in self._channels.values():
            channel.send(Stop(number))


def _cause(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended by itself with exit code {code}"


def _remove_abandoned(parent: Path) -> None:
    """Remove folders of supervisors that were killed: they are not locked.

    A young folder may be about to be locked. Pods of a node may share the parent folder, so process
    ids would not identify a supervisor.
    """
    for directory in parent.glob(f"{PREFIX}*"):
        try:
            if time.time() - directory.stat().st_mtime > YOUNG_SECONDS:
                with _locked(directory):
                    shutil.rmtree(directory, ignore_errors=True)
        except OSError:  # it is in use, or already removed
            pass


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the lock of a folder; raise OSError if another process holds it.

    The lock is on the folder itself. The library filelock would need a file in it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _private_directory(parent: Path) -> Iterator[Path]:
    """Create a folder for the sockets of the workers, and remove it at the end."""
    try:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_abandoned(parent)
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).absolute()
    except OSError as error:
        raise ListenError(f"--cache-dir: cannot write to {parent}: {error.strerror}") from error
    try:
        if len(os.fsencode(directory)) > MAX_SOCKET_PATH - len("/256"):
            raise ListenError(
                f"--cache-dir: with several workers, expected a path of at most "
                f"{MAX_SOCKET_PATH - len('/256') - len('/') - len(directory.name)} bytes, "
                f"got {parent}"
            )
        with _locked(directory):
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
