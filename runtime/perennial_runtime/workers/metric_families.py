"""The metrics of several processes as those of one."""

from collections.abc import Iterable, Sequence

import orjson
from prometheus_client.core import Metric

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and labels."""

STARTED = "process_start_time_seconds"


def merged_families(parts: Iterable[Sequence[Metric]]) -> list[Metric]:
    """Sums, sample by sample: of counters, of histograms, and of gauges, which are all amounts.

    An information is told once, and the start is that of whoever started first.
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


def lasting(families: Iterable[Metric]) -> list[Metric]:
    """What still holds once the process has ended: a gauge is of now, and its now is over."""
    return [each for each in families if each.type != "gauge" or each.name == STARTED]


def to_json(families: Iterable[Metric]) -> bytes:
    """Metrics for another process."""
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
    """Metrics from another process."""
    families = []
    for name, documentation, kind, samples in orjson.loads(data):
        family = Metric(name, documentation, kind)
        for sample in samples:
            family.add_sample(*sample)
        families.append(family)
    return families
