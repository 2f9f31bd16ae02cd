"""The operator's metrics, by name."""

import prometheus_client
from golden.record import check

from perennial_operator.cli import main

PREFIX = "perennial_operator"


def test_the_operators_metrics_are_those_that_were_recorded() -> None:
    assert main, "the program registers its metrics"
    found = {}
    collectors = prometheus_client.REGISTRY._collector_to_names
    for collector, names in collectors.items():
        if not any(name.startswith(PREFIX) for name in names):
            continue
        (family,) = collector.describe()
        found[family.name] = {
            "type": family.type,
            "labels": list(getattr(collector, "_labelnames", ())),
            "buckets": list(map(str, getattr(collector, "_upper_bounds", ()))),
        }
    check("operator_metrics", found)
