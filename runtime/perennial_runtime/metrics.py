"""Metrics for /metrics. The counts of the hot path are plain lists under one lock."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from threading import Lock
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

PREFIX = "perennial_runtime"
SECONDS = (
    .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds of the buckets. Small models respond in less than a millisecond."""
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, str]
"""Protocol and route of a request. Routes are few and fixed; a path is never a label."""


class RunTotals(NamedTuple):
    """Number and times of the model's runs."""

    requests: int
    runs: int
    queue_ns: int
    """Total time that requests waited, in nanoseconds."""
    compute_ns: int
    """Total time of the runs, in nanoseconds."""


class Histogram:
    """Counts of values by bucket. Not thread-safe."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return upper bounds and cumulative counts, in the format of Prometheus."""
        names = [*(repr(float(bound)) for bound in self.bounds), "+Inf"]
        return list(zip(names, accumulate(self.counts), strict=True))


class Metrics(Collector):
    """The metrics of one process. Thread-safe."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._lock = Lock()
        self._requests: dict[tuple[Labels, int], Histogram] = {}
        self._queue = Histogram(SECONDS)
        self._compute = Histogram(SECONDS)
        self._batches = Histogram(BATCHES)
        self._model: dict[str, str] | None = None
        self.in_flight: Callable[[], int] = lambda: 0
        """Returns the number of requests in flight."""
        self.queued: Callable[[], int] = lambda: 0
        """Returns the number of requests that wait for a thread."""

    def observe(self, labels: Labels, code: int, seconds: float) -> None:
        """Count a finished request."""
        key = labels, code
        with self._lock:
            histogram = self._requests.get(key)
            if histogram is None:
                histogram = self._requests[key] = Histogram(SECONDS)
            histogram.observe(seconds)

    def ran(self, waits: Sequence[float], seconds: float) -> None:
        """Count a run of the model: the wait of each request, and the time of the run."""
        with self._lock:
            for wait in waits:
                self._queue.observe(wait)
            self._compute.observe(seconds)
            self._batches.observe(len(waits))

    def loaded(self, **model: str) -> None:
        """Set the facts about the served model."""
        self._model = model

    def also(self, collector: Collector) -> None:
        """Add the metrics of a collector."""
        self._registry.register(collector)

    def runs(self) -> RunTotals:
        """Return the totals of all runs so far."""
        with self._lock:
            return RunTotals(
                requests=sum(self._queue.counts),
                runs=sum(self._compute.counts),
                queue_ns=int(self._queue.sum * 1e9),
                compute_ns=int(self._compute.sum * 1e9),
            )

    def families(self) -> list[Metric]:
        """Return all metrics."""
        return list(self._registry.collect())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of requests, runs and the model."""
        names = ("protocol", "route", "code")
        requests = CounterMetricFamily(f"{PREFIX}_requests", "Finished requests.", labels=names)
        seconds = HistogramMetricFamily(
            f"{PREFIX}_request_seconds",
            "Seconds from the head of a request to its response.",
            labels=names,
        )
        with self._lock:
            for (route, code), histogram in self._requests.items():
                labels = (*route, str(code))
                requests.add_metric(labels, sum(histogram.counts))
                seconds.add_metric(labels, histogram.buckets(), histogram.sum)
            runs = [
                _family(
                    "queue_seconds", "Seconds that requests waited before their run.", self._queue
                ),
                _family("run_seconds", "Seconds of the runs of the model.", self._compute),
                _family(
                    "batch_requests", "Requests of a run: the size of its batch.", self._batches
                ),
            ]
        yield requests
        yield seconds
        yield from runs
        yield GaugeMetricFamily(
            f"{PREFIX}_requests_in_flight", "Requests in flight.", value=self.in_flight()
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_requests_queued", "Requests that wait for a thread.", value=self.queued()
        )
        if self._model is not None:
            yield InfoMetricFamily(f"{PREFIX}_model", "The served model.", value=self._model)


class _Collected(Collector):
    """Metrics that were collected before."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(families: Iterable[Metric]) -> bytes:
    """Encode metrics in the format of CONTENT_TYPE."""
    registry = CollectorRegistry()
    registry.register(_Collected(families))
    return generate_latest(registry)


def _family(name: str, text: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(f"{PREFIX}_{name}", text)
    family.add_metric((), histogram.buckets(), histogram.sum)
    return family
