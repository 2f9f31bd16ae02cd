"""Compare the CPU time of a request in several versions of the runtime.

    taskset -c 0 .venv/bin/python -m benchmarks.serving.versions before=../other now=.

A version is a name and the root of a working tree, and after colons other folders whose packages
replace the installed ones (a front of its own, for example). Requests per second mean little on a
shared machine; CPU time for each request is the cost of a change. It also grows with other load,
because caches are shared. Therefore the servers of all versions run for the whole time and receive
a few hundred requests each in turn; the tenth percentile and the median of these windows are
printed. The load is always the same: a request on each connection, and the next ones after all are
answered; on one CPU (taskset) they are then also read together.
"""

import argparse
import contextlib
import json
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import load, processes, tools
from .check import NotServedError, check
from .measure import ROOT
from .models import Model, make
from .payload import Payload, build
from .peers.base import Command, Launch
from .server import START_SECONDS, Running, running
from .works import HTTP_PATH, MODEL_NAME, WORKS, ModelKind, Protocol, Work

FOLDER = ROOT / "build" / "benchmarks"
PACKAGES = ("contracts", "runtime")


@dataclass(frozen=True)
class Version:
    """Runtime of a working tree."""

    key: str
    paths: tuple[Path, ...]

    @property
    def title(self) -> str:
        return self.key

    @property
    def requirements(self) -> tuple[str, ...]:
        return ()

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json", "binary", "grpc")

    def command(self, launch: Launch) -> Command:
        arguments = [sys.executable, "-m", "perennial_runtime", "serve", str(launch.model.path)]
        arguments += ["--name", MODEL_NAME, "--host", "127.0.0.1", "--drain-seconds", "0"]
        arguments += ["--http-port", str(launch.http_port), "--grpc-port", str(launch.grpc_port)]
        if launch.threads is not None:
            arguments += ["--threads", str(launch.threads)]
        return Command(arguments, {"PYTHONPATH": ":".join(map(str, self.paths))})


@dataclass
class Costs:
    """Microseconds of CPU time per request in each window, by work and version."""

    windows: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, work: str, version: str, microseconds: float) -> None:
        self.windows.setdefault((work, version), []).append(microseconds)

    def lines(self) -> list[str]:
        """Format a line for each work and version, with the ratio to the first version."""
        first: dict[str, float] = {}
        lines = []
        for (work, version), found in self.windows.items():
            low, middle = np.percentile(found, (10, 50))
            ratio = low / first.setdefault(work, low)
            lines.append(
                f"{work:18} {version:12} {low:7.1f} us (median {middle:.1f}), ratio {ratio:.3f}"
            )
        return lines


def main() -> None:
    options = _options()
    tools.ensure()
    works = [work for work in WORKS if work.key in options.works]
    models = make(FOLDER / "models")
    versions = [_version(text) for text in options.versions]
    costs = Costs()
    for work in works:
        model = models[work.model]
        with contextlib.ExitStack() as stack:
            payload = build(work, model)
            askers: dict[str, Client] = {}
            for version in versions:
                server = stack.enter_context(_start(version, work.model, model))
                size = _checked(work, model, payload, server)
                asker = Client(
                    server, work, payload, size, options.connections, FOLDER / "versions"
                )
                askers[version.key] = stack.enter_context(contextlib.closing(asker))
            for turn in range(options.windows + 1):
                for key, asker in askers.items():
                    spent = asker.send(options.requests)
                    if turn:  # the first turn is a warm-up
                        costs.add(work.key, key, spent)
    print("\n".join(costs.lines()))
    found = [
        {"work": work, "version": version, "cpu_us": [round(each, 2) for each in windows]}
        for (work, version), windows in costs.windows.items()
    ]
    (FOLDER / "versions.json").write_text(json.dumps(found, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.serving.versions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    works = [work.key for work in WORKS]
    add = parser.add_argument
    add("versions", nargs="+", metavar="NAME=TREE[:FOLDER...]")
    add("--works", nargs="+", choices=works, default=works, metavar="WORK")
    add("--windows", type=int, default=60)
    add("--requests", type=int, default=480, help="of one window")
    add("--connections", type=int, default=16)
    return parser.parse_args()


def _version(text: str) -> Version:
    name, _, places = text.partition("=")
    tree, *folders = (Path(place).resolve() for place in places.split(":"))
    missing = [str(tree / name) for name in PACKAGES if not (tree / name).is_dir()]
    if missing:
        sys.exit(f"{text}: expected NAME=TREE, the root of a working tree; no {missing[0]}")
    # A tree of before has no package of that name.
    storage = [tree / "storage"] if (tree / "storage").is_dir() else []
    return Version(name, (*folders, *(tree / package for package in PACKAGES), *storage))


def _start(
    version: Version, kind: ModelKind, model: Model
) -> contextlib.AbstractContextManager[Running]:
    first = build(Work("first", "", kind, "binary", 1, ()), model)
    threads = 1 if kind == "tabular" else None
    log = FOLDER / "versions" / f"{version.key}-{kind}.log"
    return running(version, Path(sys.executable), kind, model, threads, first, log)


def _checked(work: Work, model: Model, payload: Payload, server: Running) -> int:
    """Return the length of a correct response. gRPC is ready shortly after HTTP."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return check(work, model, payload, server.ports)
        except NotServedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Client:
    """Client that sends one request to one server in a loop."""

    def __init__(
        self,
        server: Running,
        work: Work,
        payload: Payload,
        size: int,
        connections: int,
        folder: Path,
    ) -> None:
        """Open the connections; ``size`` is the length of a correct response."""
        self._server = server
        self._size = size
        self._file = payload.write(folder / work.key, work.protocol == "grpc")
        self._request = _head(payload) + payload.body
        self._connections = connections
        self._sockets: list[socket.socket] = []
        if work.protocol != "grpc":
            address = ("127.0.0.1", server.ports.http)
            self._sockets = [socket.create_connection(address) for _ in range(connections)]

    def close(self) -> None:
        for connection in self._sockets:
            connection.close()

    def send(self, requests: int) -> float:
        """Send about this many requests; return the CPU time of each in microseconds."""
        turns = max(1, requests // self._connections)
        before = processes.cpu_seconds(self._server.process.pid)
        if self._sockets:
            for _ in range(turns):
                self._turn()
        else:
            load.h2load_some(
                self._server.ports.grpc, self._file, self._connections, turns * self._connections
            )
        spent = processes.cpu_seconds(self._server.process.pid) - before
        return spent / (turns * self._connections) * 1e6

    def _turn(self) -> None:
        for connection in self._sockets:
            connection.sendall(self._request)
        for connection in self._sockets:
            left = self._size
            while left > 0:
                data = connection.recv(left)
                if not data:
                    raise SystemExit("the server ended a connection")
                left -= len(data)


def _head(payload: Payload) -> bytes:
    lines = [
        f"POST {HTTP_PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Length: {len(payload.body)}",
    ]
    lines += [f"{name}: {value}" for name, value in payload.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


if __name__ == "__main__":
    main()
