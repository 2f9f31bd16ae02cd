"""Load Perennial's server for minutes, and stop it under load.

    .venv/bin/python -m benchmarks.serving.soak [--minutes 10] [--connections 16] [--workers 1]

One server receives JSON requests of one row from wrk and, if it supports them, gRPC requests from
h2load, both at once and as fast as it answers. The resident memory of its processes is read every
second. With several workers one of them receives SIGTERM half-way, which must change nothing: only
their supervisor stops them. Then a new server receives requests from clients that count each of
them, and SIGTERM during these: every request that was sent must be answered. Once for JSON, and
once for gRPC.

Prints the memory at minutes 1, 5 and 10 and at the end, its slope after the first tenth of the
time, and the failures. Exits with 1 if there were any. Writes build/benchmarks/soak.json.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import drain, load, processes, tools
from .check import NotServedError, check
from .load import Load, LoadError
from .measure import ROOT, TOLERANCE
from .models import Model, make
from .payload import build
from .peers.perennial import Perennial
from .rounds import log
from .server import Running, running
from .works import WORKS

FOLDER = ROOT / "build" / "benchmarks"
SLICE_SECONDS = 10
"""Seconds of one run of a load generator; the next one opens new connections."""
DRAIN_SECONDS = 2
MINUTES = (1, 5, 10)
"""Minutes at which the memory is printed."""
ANSWERS_BEFORE_THE_END = 2000
JSON, GRPC = (next(w for w in WORKS if w.key == f"tabular-1-{kind}") for kind in ("json", "grpc"))


@dataclass
class Soak:
    """Results of the load."""

    requests: Counter[str] = field(default_factory=Counter)
    """Answered requests, by protocol."""
    failed_requests: int = 0
    failures: list[str] = field(default_factory=list)
    """Descriptions of failed requests and wrong answers."""
    memory_mb: list[float] = field(default_factory=list)
    """Memory of all processes together, each second."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.serving.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="minutes of load")
    parser.add_argument("--connections", type=int, default=16, help="connections of each protocol")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    options = parser.parse_args()
    tools.ensure()
    model = make(FOLDER / "models")["tabular"]
    soak = run(model, options.minutes * 60, options.connections, options.workers)
    slope = processes.slope_a_minute(soak.memory_mb)
    for protocol, count in soak.requests.items():
        print(f"{protocol}: {count} requests answered in {options.minutes:g} minutes")
    print(f"memory: {_memory(soak.memory_mb)}, slope {slope:+.3f} MB/min")
    print(f"failed requests: {soak.failed_requests}{_examples(soak.failures)}")
    tallies = {}
    for protocol in soak.requests:
        tally = end_under_load(model, protocol, options.connections, options.workers)
        tallies[protocol] = tally
        print(
            f"SIGTERM under {protocol} load: {tally.answered} requests answered, "
            f"{len(tally.lost)} lost; {tally.refused} of {options.connections} clients refused at "
            f"the end{_examples(tally.lost)}"
        )
    record = {
        **vars(soak),
        "slope_mb_a_minute": slope,
        "sigterm": {protocol: asdict(tally) for protocol, tally in tallies.items()},
    }
    (FOLDER / "soak.json").write_text(json.dumps(record) + "\n")
    sys.exit(bool(soak.failures or any(tally.lost for tally in tallies.values())))


def run(model: Model, seconds: float, connections: int, workers: int) -> Soak:
    """Load a new server for some time."""
    soak = Soak()
    payload = build(JSON, model)
    log = FOLDER / "serving" / "logs" / "soak.log"
    peer = Perennial(workers)
    with running(peer, Path(sys.executable), "tabular", model, 1, payload, log) as server:
        _wait_for_all(server)
        senders = _senders(server, model, connections, soak)
        began = processes.tree(server.process.pid)
        begun = time.monotonic()
        end = begun + seconds
        is_due = workers > 1
        threads = [threading.Thread(target=_repeat, args=(send, end, soak)) for send in senders]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if is_due and time.monotonic() - begun > seconds / 2:
                os.kill(began[-1], signal.SIGTERM)
                is_due = False
            soak.memory_mb.append(
                sum(map(processes.resident_mb, processes.tree(server.process.pid)))
            )
            time.sleep(1)
        if server.process.poll() is not None:
            soak.failures.append(f"the server ended with {server.process.returncode}")
        elif processes.tree(server.process.pid) != began:
            soak.failures.append("a worker ended")
    return soak


def _senders(
    server: Running, model: Model, connections: int, soak: Soak
) -> Sequence[Callable[[], None]]:
    """Return the senders of one slice of load, by protocol of the server."""
    folder = FOLDER / "serving" / "requests"
    senders: list[Callable[[], None]] = []
    payload = build(JSON, model)
    size = check(JSON, model, payload, server.ports)
    body = payload.write(folder / "soak.json", grpc=False)

    def send_json() -> None:
        done = load.wrk(server.ports.http, body, payload.headers, connections, SLICE_SECONDS)
        _count(soak, "JSON", done, size)

    senders.append(send_json)
    if "grpc" not in Perennial().protocols():
        log("gRPC: not served")
        return senders
    call = build(GRPC, model)
    try:
        answer = check(GRPC, model, call, server.ports)
    except NotServedError as error:
        soak.failures.append(f"gRPC: {error}")
        return senders
    frame = call.write(folder / "soak.grpc", grpc=True)

    def send_grpc() -> None:
        done = load.h2load(server.ports.grpc, frame, connections, SLICE_SECONDS)
        _count(soak, "gRPC", done, answer)

    senders.append(send_grpc)
    return senders


def _count(soak: Soak, protocol: str, done: Load, size: int) -> None:
    soak.requests[protocol] += done.requests
    soak.failed_requests += sum(done.failed.values())
    log(f"    {protocol}: {done.rps:.0f} requests/s, p99 {done.p99_ms:.2f} ms")
    done.verify(size, TOLERANCE)


def _repeat(send: Callable[[], None], end: float, soak: Soak) -> None:
    while time.monotonic() < end:
        try:
            send()
        except LoadError as error:
            soak.failures.append(str(error))
            log(f"    FAILED: {error}")
            time.sleep(1)  # a stopped server refuses at once


def end_under_load(model: Model, protocol: str, connections: int, workers: int) -> drain.Tally:
    """Send SIGTERM to a new server during requests, over JSON or gRPC."""
    payload = build(JSON, model)
    log = FOLDER / "serving" / "logs" / "drain.log"
    peer = Perennial(workers, DRAIN_SECONDS)
    with running(peer, Path(sys.executable), "tabular", model, 1, payload, log) as server:
        _wait_for_all(server)
        clients = (
            drain.http_clients(server.ports.http, payload, connections)
            if protocol == "JSON"
            else drain.grpc_clients(server.ports.grpc, build(GRPC, model), connections)
        )
        with clients as tally:
            drain.until(tally, ANSWERS_BEFORE_THE_END, 60)
            server.process.send_signal(signal.SIGTERM)
            code = server.process.wait(60)
    if code:
        tally.lost.append(f"the server ended with {code}")
    return tally


def _wait_for_all(server: Running) -> None:
    """Wait until all workers answer."""
    while True:
        with contextlib.suppress(urllib.error.HTTPError):
            url = f"http://127.0.0.1:{server.ports.http}/v2/health/ready"
            urllib.request.urlopen(url, timeout=10).close()
            return
        time.sleep(0.1)


def _memory(readings: Sequence[float]) -> str:
    """Format the memory at some minutes and at the end."""
    told = [(f"minute {n}", readings[60 * n - 1]) for n in MINUTES if 60 * n <= len(readings)]
    return ", ".join(f"{mb:.1f} MB at {when}" for when, mb in [*told, ("the end", readings[-1])])


def _examples(texts: Sequence[str]) -> str:
    return "".join(f"\n    {text}" for text in texts[:5])


if __name__ == "__main__":
    main()
