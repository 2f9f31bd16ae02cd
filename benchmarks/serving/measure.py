"""Measure a server under load, or the model in a process without a server."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import load, processes
from .load import Load
from .models import Model
from .payload import Payload
from .server import Running
from .works import Protocol

ROOT = Path(__file__).parents[2]
WARM_UP_SECONDS = 1
TOLERANCE = 0.02
"""Tolerance of a response's length, which varies with dates, durations and identifiers."""


@dataclass(frozen=True)
class Figures:
    """Results of a measurement; ``report.Sample`` describes each."""

    rps: float
    p50_ms: float
    p99_ms: float
    rss_mb: float
    start_s: float
    cpu_us: float

    def __str__(self) -> str:
        return (
            f"{self.rps:.0f} requests/s, p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms, "
            f"{self.cpu_us:.0f} us of CPU, {self.rss_mb:.0f} MB"
        )


def under_load(
    server: Running,
    protocol: Protocol,
    payload: Payload,
    bytes_each: int,
    connections: int,
    seconds: int,
    file: Path,
) -> Figures:
    """Measure a server that answers one request in a loop; write it to ``file``.

    Raises:
        LoadError: requests fail, or responses do not have ``bytes_each`` bytes.
    """
    grpc = protocol == "grpc"
    payload.write(file, grpc)

    def send(seconds: int) -> Load:
        if grpc:
            return load.h2load(server.ports.grpc, file, connections, seconds)
        return load.wrk(server.ports.http, file, payload.headers, connections, seconds)

    send(WARM_UP_SECONDS)
    pid = server.process.pid
    before = processes.cpu_seconds(pid)
    with memory_after(pid, seconds / 2) as rss_mb:
        result = send(seconds)
    spent = processes.cpu_seconds(pid) - before
    result.verify(bytes_each, TOLERANCE)
    return Figures(
        rps=result.rps,
        p50_ms=result.p50_ms,
        p99_ms=result.p99_ms,
        rss_mb=rss_mb[0],
        start_s=server.start_s,
        cpu_us=spent / result.requests * 1e6,
    )


@contextlib.contextmanager
def memory_after(pid: int, seconds: float) -> Iterator[list[float]]:
    """Yield a list that contains the memory in MB at a time within the block."""
    reading: list[float] = []
    timer = threading.Timer(seconds, lambda: reading.append(processes.pss_mb(pid)))
    timer.start()
    try:
        yield reading
    finally:
        timer.join()


def in_process(model: Model, rows: int, threads: int | None, seconds: int) -> Figures:
    """Measure the model in a loop, without a server.

    If the number of threads is open, the faster of two is returned: one run at a time on all cores,
    or a run of one thread on each core.
    """
    if threads is None:
        cores = len(os.sched_getaffinity(0))
        ways = {(0, 1), (1, cores)}
    else:
        ways = {(threads, 1)}
    return max((_in_process(model, rows, *way, seconds) for way in ways), key=lambda f: f.rps)


def _in_process(model: Model, rows: int, threads: int, callers: int, seconds: int) -> Figures:
    output = subprocess.run(
        [
            *(sys.executable, "-m", f"{__package__}.in_process"),
            *(str(model.path), model.input, str(rows), "x".join(map(str, model.shape))),
            *(str(threads), str(callers), str(seconds)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return Figures(**json.loads(output))
