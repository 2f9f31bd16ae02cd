"""Table, ratios and targets of samples."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from .works import Work

OURS = "perennial"
IN_PROCESS = "in-process"
IN_PROCESS_TITLE = "session.run in process"


@dataclass(frozen=True)
class Sample:
    """Measurement, or the medians of several."""

    work: str
    server: str
    connections: int
    rps: float
    p50_ms: float
    p99_ms: float
    rss_mb: float
    """Proportional memory of all processes of the server, under this load."""
    start_s: float
    """Seconds from the start of the process to the first prediction."""
    cpu_us: float
    """CPU time of the server for each request, which other load on the machine changes little."""

    @property
    def case(self) -> tuple[str, str, int]:
        """Server, work and connections."""
        return self.server, self.work, self.connections

    def record(self) -> dict[str, object]:
        """Return the sample for JSON, with significant digits only."""
        return {
            key: round(value, 3) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Target:
    """Target of the design: a multiple of a peer's throughput."""

    title: str
    work: str
    connections: int
    peer: str
    ratio: float


TARGETS = (
    Target("small tabular, JSON, 16 connections: Triton", "tabular-1-json", 16, "triton", 1.3),
    Target("small tabular, JSON, 16 connections: KServe", "tabular-1-json", 16, "kserve", 10),
    Target("small tabular, JSON, 16 connections: FastAPI", "tabular-1-json", 16, "fastapi", 7),
    Target("small tabular, JSON, 16 connections: MLServer", "tabular-1-json", 16, "mlserver", 7),
    Target("CNN, binary, 4 connections: in process", "image-binary", 4, IN_PROCESS, 0.9),
    Target("gRPC, 1 row, 16 connections: Triton", "tabular-1-grpc", 16, "triton", 1.3),
    Target("gRPC, 1 row, 16 connections: MLServer", "tabular-1-grpc", 16, "mlserver", 7),
    Target("gRPC, 1 row, 16 connections: KServe", "tabular-1-grpc", 16, "kserve", 7),
)


class Results:
    """Medians of all rounds, by work, server and connections."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = medians(samples)
        self._found = {(s.work, s.server, s.connections): s for s in self.samples}

    def at(self, work: str, server: str, connections: int) -> Sample | None:
        """Return one result; in process there are no connections."""
        return self._found.get((work, server, 1 if server == IN_PROCESS else connections))

    def ratio(self, work: str, connections: int, peer: str) -> float | None:
        """Return Perennial's throughput over a peer's; ``None`` if one is missing."""
        ours, theirs = self.at(work, OURS, connections), self.at(work, peer, connections)
        return ours.rps / theirs.rps if ours and theirs and theirs.rps else None


def medians(samples: Iterable[Sample]) -> list[Sample]:
    """Return the median of each figure, in the order of the first measurements."""
    groups: dict[tuple[str, str, int], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.work, sample.server, sample.connections), []).append(sample)
    return [
        Sample(
            *key,
            *(
                statistics.median(getattr(sample, figure) for sample in group)
                for figure in ("rps", "p50_ms", "p99_ms", "rss_mb", "start_s", "cpu_us")
            ),
        )
        for key, group in groups.items()
    ]


def table(
    results: Results,
    works: Sequence[Work],
    titles: Mapping[str, str],
    not_served: Mapping[tuple[str, str], str],
    failed: Mapping[tuple[str, str, int], str],
) -> Iterator[str]:
    """Format the lines of each work and server, with Perennial's ratio to it."""
    for work in works:
        yield ""
        yield work.title
        yield (
            f"  {'server':<24}{'connections':>12}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}"
            f"{'CPU us':>9}{'MB':>7}{'start s':>9}{'Perennial / it':>16}"
        )
        for server, title in {IN_PROCESS: IN_PROCESS_TITLE, **titles}.items():
            for sample in results.samples:
                if (sample.work, sample.server) == (work.key, server):
                    yield _row(sample, title, _ratio_text(results, sample))
            for (whose, key, connections), reason in failed.items():
                if (whose, key) == (server, work.key):
                    yield f"  {title:<24}{connections:>12} left out: {reason}"
            if (server, work.key) in not_served:
                yield f"  {title:<24}not served: {not_served[server, work.key]}"


def _row(sample: Sample, title: str, ratio: str) -> str:
    connections = "-" if sample.server == IN_PROCESS else str(sample.connections)
    return (
        f"  {title:<24}{connections:>12}{sample.rps:>12.0f}{sample.p50_ms:>9.2f}"
        f"{sample.p99_ms:>9.2f}{sample.cpu_us:>9.0f}{sample.rss_mb:>7.0f}{sample.start_s:>9.2f}{ratio:>16}"
    )


def _ratio_text(results: Results, sample: Sample) -> str:
    if sample.server == OURS:
        return ""
    if sample.server != IN_PROCESS:
        ratio = results.ratio(sample.work, sample.connections, sample.server)
        return "-" if ratio is None else f"{ratio:.2f}"
    ours = [s for s in results.samples if (s.work, s.server) == (sample.work, OURS)]
    best = max((s.rps for s in ours), default=None)
    return "-" if best is None else f"{best / sample.rps:.2f} at best"


def verdicts(results: Results, targets: Iterable[Target] = TARGETS) -> Iterator[str]:
    """Format each target with its result, met or not met."""
    for target in targets:
        ratio = results.ratio(target.work, target.connections, target.peer)
        if ratio is None:
            said = "not measured"
        else:
            said = f"{ratio:5.2f} x  {'met' if ratio >= target.ratio else 'NOT MET'}"
        yield f"  {target.title:<50} >= {target.ratio:>4} x   {said}"
