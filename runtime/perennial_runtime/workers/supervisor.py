"""Starts the worker processes of one server, and sees to it that they begin and end together."""

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
from ..frontends.listener import ListenError, listen, twins
from ..settings import Settings
from .messages import Admit, Channel, Failed, Fetched, Live, Loaded, Ready, Start, Stop

SIGNALS = (signal.SIGTERM, signal.SIGINT)
PREFIX = "workers-"
YOUNG_SECONDS = 60
LONGEST_PATH = 100
"""Bytes of a Unix socket's path; the systems allow a little more."""


@dataclass(frozen=True)
class _Ended:
    """A worker process is no more."""

    code: int


def supervise(settings: Settings, workers: int) -> LoadError | int:
    """Serves with several processes until a signal comes; the exit code, or why the model did not
    load.

    Raises:
        ListenError: where a port cannot be listened on, or not be shared.
    """
    if settings.workers and not settings.threads:
        settings = replace(settings, threads=max(1, available_threads() // workers))
    events: SimpleQueue[object] = SimpleQueue()
    for number in SIGNALS:
        signal.signal(number, lambda received, frame: events.put(received))
    with _private_directory(settings.cache_dir) as directory:
        ports = [settings.http_port]
        if settings.grpc_port is not None:
            ports.append(settings.grpc_port)
        firsts = [listen(settings.host, port) for port in ports]
        sockets = list(zip(*([first, *twins(first, workers - 1)] for first in firsts), strict=True))
        return _Supervisor(settings, directory, sockets, events).run()


class _Supervisor:
    """What there is while they serve."""

    def __init__(
        self,
        settings: Settings,
        directory: Path,
        sockets: list[tuple[socket, ...]],
        events: "SimpleQueue[object]",
    ) -> None:
        """``sockets`` are those of each worker."""
        self._settings = settings
        self._directory = directory
        self._sockets = dict(enumerate(sockets, 1))
        self._ports = [each.getsockname()[1] for each in sockets[0]]
        self._events = events
        self._instance = uuid4().hex
        self._channels: dict[int, Channel] = {}
        """Of the workers that run."""
        self._expected = len(sockets)
        self._loaded: set[int] = set()
        self._ready: set[int] = set()
        self._is_stopping = False
        self._failure: Failed | None = None
        self._code = 0

    def run(self) -> LoadError | int:
        """Until the last of them has ended."""
        self._start(1)
        while self._channels:
            event = self._events.get()
            if isinstance(event, int):
                self._stop(event)
            elif isinstance(event, tuple):
                self._note(*event)
        if self._failure and self._failure.reason:
            return LoadError(self._failure.reason, self._failure.message)
        return self._code

    def _start(self, number: int) -> None:
        sockets = self._sockets.pop(number)
        mine, its = socketpair()
        descriptors = tuple(each.fileno() for each in sockets)
        # They are told of signals by message: one that goes to the whole group of processes must
        # not count twice, and one that comes before Python is ready must not be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perennial_runtime.workers.worker", str(its.fileno())],
            pass_fds=(its.fileno(), *descriptors),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        its.close()
        for each in sockets:
            each.close()  # a port is free once its workers have ended
        channel = self._channels[number] = Channel(mine)
        channel.tell(Start(self._settings, number, self._instance, self._directory, descriptors))

        def hear() -> None:
            for message in channel.heard():
                self._events.put((number, message))
            self._events.put((number, _Ended(process.wait())))

        threading.Thread(target=hear, name=f"worker-{number}", daemon=True).start()

    def _note(self, number: int, message: object) -> None:
        """Takes note of what a worker told, or that it ended."""
        if isinstance(message, Live) and number == 1:
            log.info(
                "live", host=self._settings.host, port=self._ports[0], grpc_port=self._ports[-1]
            )
        elif isinstance(message, Fetched) and number == 1:
            self._settings = replace(self._settings, digest=message.digest)
            if self._settings.workers is not None:
                self._start_others()
        elif isinstance(message, Loaded):
            self._loaded.add(number)
            if self._settings.workers is None and number == 1:
                if not message.is_quick:
                    self._expected = 1
                self._start_others()
            if len(self._loaded) == self._expected:
                for channel in self._channels.values():
                    channel.tell(Admit())
        elif isinstance(message, Ready):
            self._ready.add(number)
            if len(self._ready) == self._expected:
                log.info("ready", model=self._settings.name, workers=self._expected)
        elif isinstance(message, Failed):
            self._fail(message)
        elif isinstance(message, _Ended):
            del self._channels[number]
            if not self._is_stopping:
                log.error(f"worker {number} {_end(message.code)}, so the others end too")
                self._stop(signal.SIGINT)
                self._code = 1
            self._code = self._code or int(message.code != 0)

    def _start_others(self) -> None:
        """They find the model by its digest, in the cache."""
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
            channel.tell(Stop(number))


def _end(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended by itself with exit code {code}"


def _remove_forsaken(parent: Path) -> None:
    """Removes folders whose supervisor was killed: nobody holds their lock any more.

    A young one may be about to be locked. Pods of a node may share the parent, so that the id of a
    process would tell nothing.
    """
    for directory in parent.glob(f"{PREFIX}*"):
        try:
            if time.time() - directory.stat().st_mtime > YOUNG_SECONDS:
                with _locked(directory):
                    shutil.rmtree(directory, ignore_errors=True)
        except OSError:  # it is in use, or gone by now
            pass


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Holds a folder's lock; OSError where somebody else does."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _private_directory(parent: Path) -> Iterator[Path]:
    """A folder where the workers find each other, and nobody else does."""
    try:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_forsaken(parent)
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).absolute()
    except OSError as error:
        raise ListenError(f"--cache-dir: cannot write to {parent}: {error.strerror}") from error
    try:
        if len(os.fsencode(directory)) > LONGEST_PATH - len("/256"):
            raise ListenError(
                f"--cache-dir: with several workers, expected a path of at most "
                f"{LONGEST_PATH - len('/256') - len('/') - len(directory.name)} bytes, got {parent}"
            )
        with _locked(directory):
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
