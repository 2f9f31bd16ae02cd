"""The model's counters in /metrics, converted at each request."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from perennial_contracts.wire.counters import Counters
from perennial_contracts.wire.profile import Distribution, Profile

PREFIX = "perennial_runtime"
MISSING, OTHER = "missing", "other"


class CounterCollector(Collector):
    """Collects the counters over the bins of a profile. Each bin has a readable name."""

    def __init__(
        self, read: Callable[[], Counters], profile: Profile | None, classes: Sequence[str]
    ) -> None:
        """Name the bins; ``classes`` names the confusion matrix's rows and columns."""
        self._read = read
        self._features = {f.name: bin_names(f) for f in profile.features} if profile else {}
        self._score = bin_names(profile.score) if profile and profile.score else []
        self._label = bin_names(profile.label) if profile and profile.label else []
        self._classes = classes

    def collect(self) -> Iterator[Metric]:
        """Yield the counters as metrics."""
        counters = self._read()
        yield CounterMetricFamily(
            f"{PREFIX}_rows", "Number of predictions; each row is one.", value=counters.rows
        )
        yield _family(
            "feature_values",
            "Values of a feature, by bin of the drift profile.",
            ("feature", "bin"),
            (
                ((feature, name), count)
                for feature, names in self._features.items()
                for name, count in zip(names, counters.features[feature], strict=True)
            ),
        )
        yield _family(
            "scores",
            "Scores of predictions, by bin of the drift profile.",
            ("bin",),
            (((name,), n) for name, n in zip(self._score, counters.score or (), strict=True)),
        )
        yield _family(
            "labels",
            "Predicted labels.",
            ("label",),
            (((name,), n) for name, n in zip(self._label, counters.label or (), strict=True)),
        )
        yield _family(
            "feedback",
            "Labels from feedback, by predicted label.",
            ("predicted", "label"),
            (
                ((predicted, label), count)
                for predicted, row in zip(self._classes, counters.matrix, strict=True)
                for label, count in zip(self._classes, row, strict=True)
                if count  # with many classes there are too many pairs
            ),
        )
        if counters.capture:
            yield _family(
                "captured_rows",
                "Captured predictions and labels: written, or dropped.",
                ("outcome",),
                (
                    ((outcome,), getattr(counters.capture, outcome))
                    for outcome in ("written", "dropped")
                ),
            )


def _family(
    name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[tuple[str, ...], int]]
) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
    for values, count in samples:
        family.add_metric(values, count)
    return family


def bin_names(distribution: Distribution) -> list[str]:
    """Return a unique name for each bin.

    >>> bin_names(Distribution(name="x", edges=[1.5, 3], counts=[0] * 4))
    ['<1.5', '[1.5,3)', '>=3', 'missing']
    """
    if distribution.edges is None:
        names = list(distribution.categories or ())
        return names + [_unlike(name, names) for name in (OTHER, MISSING)]
    edges = _shortest(distribution.edges)
    if not edges:
        return ["any", MISSING]
    inner = [f"[{low},{high})" for low, high in pairwise(edges)]
    return [f"<{edges[0]}", *inner, f">={edges[-1]}", MISSING]


def _shortest(edges: Sequence[float]) -> list[str]:
    """Format edges with the fewest exact digits, as float32 if that is exact."""
    doubles = np.asarray(edges, np.float64)
    with np.errstate(over="ignore"):
        singles = doubles.astype(np.float32)
    return [
        str(edge).removesuffix(".0")
        for edge in (singles if (singles == doubles).all() else doubles)
    ]


def _unlike(name: str, names: Sequence[str]) -> str:
    """Return the name in parentheses until it differs from all others."""
    while name in names:
        name = f"({name})"
    return name
