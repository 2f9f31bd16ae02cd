"""The rounds: each visits every server in turn, and each server does every work that it serves."""

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
    """What one run of the benchmark measures."""

    peers: Sequence[tuple[Peer, Path]]
    """With the Python of each."""
    works: Sequence[Work]
    connections: Sequence[int] | None
    rounds: int
    seconds: int
    image_threads: int | None
    in_process: bool
    folder: Path

    def threads(self, kind: ModelKind) -> int | None:
        """A run of the small model takes microseconds; more than one thread makes it slower."""
        return 1 if kind == "tabular" else self.image_threads


@dataclass
class Bench:
    """Measures round by round; what a server cannot do it is not asked again."""

    plan: Plan
    models: dict[ModelKind, Model]
    samples: list[Sample] = field(default_factory=list)
    not_served: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why, by server and work."""
    failed: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """Why the figures of a server at a work and a number of connections are left out."""

    def __post_init__(self) -> None:
        self._payloads = {
            work.key: build(work, self.models[work.model]) for work in self.plan.works
        }

    def run(self) -> None:
        """All rounds; the order of the servers shifts by one each time."""
        peers = list(self.plan.peers)
        for turn in range(self.plan.rounds):
            say(f"==> round {turn + 1} of {self.plan.rounds}")
            if OURS not in {peer.key for peer, _ in peers}:
                for kind in self.models:
                    self._in_process(kind)
            shift = turn % max(len(peers), 1)
            for peer, python in peers[shift:] + peers[:shift]:
                for kind in self.models:
                    if peer.key == OURS:  # side by side with what it is the limit of
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
        log = self.plan.folder / "logs" / f"{peer.key}-{kind}.log"
        try:
            with running(
                *(peer, python, kind, self.models[kind], self.plan.threads(kind)),
                *(self._first(works), log),
            ) as server:
                say(f"    {peer.title}, {kind}: answers after {server.start_s:.2f} s")
                for work in works:
                    self._work(peer, server, work)
        except StartError as error:
            say(f"    {peer.title}, {kind}: DOES NOT START: {error}")
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
        """A request over HTTP: every server here speaks it, whatever the works ask."""
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
            say(f"      {work.title}: NOT SERVED: {error}")
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
                say(f"      {work.title}, {connections}: LEFT OUT: {error}")
                continue
            self.samples.append(Sample(work.key, peer.key, connections, **asdict(figures)))
            say(f"      {work.title}, {connections}: {figures}")

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
                say(f"    in process, {kind}, {rows}: {done[rows]}")
            self.samples.append(Sample(work.key, IN_PROCESS, 1, **asdict(done[rows])))


def say(text: str) -> None:
    """A line for who waits."""
    print(text, flush=True)
