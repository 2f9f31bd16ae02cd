"""Start a server, wait for its first answer, and stop it with its descendants."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import exchange, processes
from .check import Ports
from .models import Model
from .payload import Payload
from .peers.base import Launch, Peer
from .text import one_line
from .works import ModelKind

START_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.005
NOT_YET = (404, 408, 425, 429)
"""Statuses, besides 5xx, of a server whose model is not ready."""


class StartError(Exception):
    """Error: a server does not start; with the cause as one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason))


@dataclass(frozen=True)
class Running:
    """Server that answers."""

    process: subprocess.Popen[bytes]
    ports: Ports
    start_s: float
    """Seconds from the start of its process to its first prediction."""
    log: Path


@contextlib.contextmanager
def running(
    peer: Peer,
    python: Path,
    kind: ModelKind,
    model: Model,
    threads: int | None,
    first: Payload,
    log: Path,
) -> Iterator[Running]:
    """Run a server during the block; ``first`` is an HTTP request that it must answer.

    Raises:
        StartError: it ends, or does not answer in time.
    """
    http, grpc, other = free_ports(3)
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{peer.key}-") as folder, log.open("wb") as output:
        launch = Launch(python, kind, model, http, grpc, other, threads, Path(folder))
        try:
            command = peer.command(launch)
            begun = time.monotonic()
            process = subprocess.Popen(
                command.arguments,
                env=command.environment(),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:  # the packages lack files that it expects
            raise StartError(f"{type(error).__name__}: {error}") from None
        try:
            _wait(process, http, first, log)
            start_s = time.monotonic() - begun
            yield Running(process, Ports(http, grpc), start_s, log)
        finally:
            stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a server, then kill the processes that are left."""
    started = {pid: processes.born(pid) for pid in processes.tree(process.pid)}
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    for pid, born in started.items():
        if born is not None and processes.born(pid) == born:  # the id was not reused
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def free_ports(count: int) -> list[int]:
    """Return free ports of the loopback address."""
    with contextlib.ExitStack() as sockets:
        bound = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in bound:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in bound]


def _wait(process: "subprocess.Popen[bytes]", port: int, first: Payload, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    said = "no connection"
    while time.monotonic() < end:
        if process.poll() is not None:
            raise StartError(f"ended with {process.returncode}: {_tail(log)}")
        try:
            answer = exchange.post(port, first.body, first.headers, timeout=10)
        except OSError as error:
            said = f"{type(error).__name__}: {error}"
        else:
            if answer.status < 500 and answer.status not in NOT_YET:
                return
            said = f"{answer.status}: {answer.body[:200].decode(errors='replace')}"
        time.sleep(POLL_SECONDS)
    raise StartError(f"no answer in {START_SECONDS:.0f} s ({said}): {_tail(log)}")


def _tail(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-3:])[-400:]
