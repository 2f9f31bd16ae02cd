"""Merge metrics of several processes, and encode them for other processes."""

from collections.abc import Iterable, Sequence

import orjson
from prometheus_client.core import Metric

Key = tuple[str, tuple[tuple[str, str], ...]]
"""Name and labels of a sample."""

STARTED = "process_start_time_seconds"


def merge_families(parts: Iterable[Sequence[Metric]]) -> list[Metric]:
    """Return the sums, sample by sample, of counters, histograms and gauges.

    All gauges are amounts, so they add up too. An info metric is kept once, and the start time is
    the earliest.
    """
    families: dict[str, tuple[Metric, dict[Key, float]]] = {}
    for part in parts:
        for family in part:
            _, values = families.setdefault(
                family.name, (Metric(family.name, family.documentation, family.type), {})
            )
            for sample in family.samples:
                key = sample.name, tuple(sample.labels.items())
                before = values.get(key)
                if before is None:
                    values[key] = sample.value
                elif sample.name == STARTED:
                    values[key] = min(before, sample.value)
                elif family.type != "info":
                    values[key] = before + sample.value
    for family, values in families.values():
        for (name, labels), value in values.items():
            family.add_sample(name, dict(labels), value)
    return [family for family, _ in families.values()]


def without_gauges(families: Iterable[Metric]) -> list[Metric]:
    """Return the metrics that stay valid after the process has ended.

    A gauge describes the running process. The start time is a gauge too, but it is kept.
    """
    return [each for each in families if each.type != "gauge" or each.name == STARTED]


def to_json(families: Iterable[Metric]) -> bytes:
    """Encode metrics for another process."""
    return orjson.dumps(
        [
            [
                family.name,
                family.documentation,
                family.type,
                [[sample.name, sample.labels, sample.value] for sample in family.samples],
            ]
            for family in families
        ]
    )


def from_json(data: bytes) -> list[Metric]:
    """Decode the metrics of another process."""
    families = []
    for name, documentation, kind, samples in orjson.loads(data):
        family = Metric(name, documentation, kind)
        for sample in samples:
            family.add_sample(*sample)
        families.append(family)
    return families
