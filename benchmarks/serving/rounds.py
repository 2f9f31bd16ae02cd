"""Rounds over all servers; each server does every work that it supports."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .check import NotServedError, check
from .load import LoadError
from .measure import Figures, in_process, under_load
from .models import Model
from .payload import Payload, build
from .peers.base import Peer
from .report import IN_PROCESS, OURS, Sample
from .server import Running, StartError, running
from .works import ModelKind, Work


@dataclass(frozen=True)
class Plan:
    """Plan of a run of the benchmark."""

    peers: Sequence[tuple[Peer, Path]]
    """Peers, each with its Python."""
    works: Sequence[Work]
    connections: Sequence[int] | None
    rounds: int
    seconds: int
    image_threads: int | None
    in_process: bool
    folder: Path

    def threads(self, kind: ModelKind) -> int | None:
        """Return the threads for a model; the small one runs faster with one thread."""
        return 1 if kind == "tabular" else self.image_threads


@dataclass
class Bench:
    """Measurement round by round; a work that a server does not support is skipped."""

    plan: Plan
    models: dict[ModelKind, Model]
    samples: list[Sample] = field(default_factory=list)
    not_served: dict[tuple[str, str], str] = field(default_factory=dict)
    """Reasons, by server and work."""
    failed: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """Reasons why figures are left out, by server, work and connections."""

    def __post_init__(self) -> None:
        self._payloads = {
            work.key: build(work, self.models[work.model]) for work in self.plan.works
        }

    def run(self) -> None:
        """Run all rounds; the order of the servers shifts by one each time."""
        peers = list(self.plan.peers)
        for turn in range(self.plan.rounds):
            log(f"==> round {turn + 1} of {self.plan.rounds}")
            if OURS not in {peer.key for peer, _ in peers}:
                for kind in self.models:
                    self._in_process(kind)
            shift = turn % max(len(peers), 1)
            for peer, python in peers[shift:] + peers[:shift]:
                for kind in self.models:
                    if peer.key == OURS:  # next to the server whose limit it is
                        self._in_process(kind)
                    self._visit(peer, python, kind)

    def _visit(self, peer: Peer, python: Path, kind: ModelKind) -> None:
        works = [
            work
            for work in self.plan.works
            if work.model == kind and self._does(peer, work) and work.at(self.plan.connections)
        ]
        if not works:
            return
        log_file = self.plan.folder / "logs" / f"{peer.key}-{kind}.log"
        try:
            with running(
                *(peer, python, kind, self.models[kind], self.plan.threads(kind)),
                *(self._first(works), log_file),
            ) as server:
                log(f"    {peer.title}, {kind}: answers after {server.start_s:.2f} s")
                for work in works:
                    self._work(peer, server, work)
        except StartError as error:
            log(f"    {peer.title}, {kind}: DOES NOT START: {error}")
            for work in works:
                self._drop(peer, work, f"does not start: {error}")

    def _does(self, peer: Peer, work: Work) -> bool:
        if (peer.key, work.key) in self.not_served:
            return False
        if work.protocol not in peer.protocols():
            self.not_served[peer.key, work.key] = f"has no {work.protocol}"
            return False
        return True

    def _first(self, works: Sequence[Work]) -> Payload:
        """Return a request over HTTP, which every server supports."""
        for work in works:
            if work.protocol != "grpc":
                return self._payloads[work.key]
        work = works[0]
        return build(Work("first", "", work.model, "json", work.rows, ()), self.models[work.model])

    def _work(self, peer: Peer, server: Running, work: Work) -> None:
        payload = self._payloads[work.key]
        try:
            bytes_each = check(work, self.models[work.model], payload, server.ports)
        except NotServedError as error:
            self._drop(peer, work, str(error))
            log(f"      {work.title}: NOT SERVED: {error}")
            return
        for connections in work.at(self.plan.connections):
            case = (peer.key, work.key, connections)
            if case in self.failed:
                continue
            try:
                figures = under_load(
                    *(server, work.protocol, payload, bytes_each, connections),
                    *(self.plan.seconds, self.plan.folder / "requests" / work.key),
                )
            except LoadError as error:
                self.failed[case] = str(error)
                self.samples = [sample for sample in self.samples if sample.case != case]
                log(f"      {work.title}, {connections}: LEFT OUT: {error}")
                continue
            self.samples.append(Sample(work.key, peer.key, connections, **asdict(figures)))
            log(f"      {work.title}, {connections}: {figures}")

    def _drop(self, peer: Peer, work: Work, reason: str) -> None:
        self.not_served[peer.key, work.key] = reason
        self.samples = [
            sample for sample in self.samples if sample.case[:2] != (peer.key, work.key)
        ]

    def _in_process(self, kind: ModelKind) -> None:
        if not self.plan.in_process:
            return
        done: dict[int, Figures] = {}
        for work in self.plan.works:
            if work.model != kind:
                continue
            rows = work.rows
            if rows not in done:
                model, threads = self.models[kind], self.plan.threads(kind)
                done[rows] = in_process(model, rows, threads, self.plan.seconds)
                log(f"    in process, {kind}, {rows}: {done[rows]}")
            self.samples.append(Sample(work.key, IN_PROCESS, 1, **asdict(done[rows])))


def log(text: str) -> None:
    """Print a line of progress."""
    print(text, flush=True)
