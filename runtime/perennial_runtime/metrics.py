"""What /metrics tells. The counters of the hot path are bound once and looked up in a dict."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

PREFIX = "perennial_runtime"
SECONDS = (
    .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds of the buckets: small models answer in less than a millisecond."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self, in_flight: Callable[[], float]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            f"{PREFIX}_requests",
            "Requests answered.",
            ("route", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            f"{PREFIX}_request_seconds",
            "Seconds from a request's headers to its answer.",
            ("route", "code"),
            buckets=SECONDS,
            registry=self._registry,
        )
        Gauge(
            f"{PREFIX}_requests_in_flight",
            "Requests being answered now.",
            registry=self._registry,
        ).set_function(in_flight)
        self._model = Info(f"{PREFIX}_model", "The model that is served.", registry=self._registry)
        self._bound: dict[tuple[str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def observe(self, route: str, code: int, seconds: float) -> None:
        """Counts an answered request. Routes are few and fixed: never a path."""
        bound = self._bound.get((route, code))
        if bound is None:
            labels = (route, str(code))
            bound = (self._requests.labels(*labels).inc, self._seconds.labels(*labels).observe)
            self._bound[route, code] = bound
        bound[0]()
        bound[1](seconds)

    def loaded(self, **model: str) -> None:
        """States the model that is served from now on."""
        self._model.info(model)

    def collect(self, collector: Collector) -> None:
        """Has the exposition tell what a collector finds each time it is asked."""
        self._registry.register(collector)

    def text(self) -> bytes:
        """The exposition, as CONTENT_TYPE says."""
        return generate_latest(self._registry)
