"""The counters of a model in /metrics."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from perennial_contracts.wire.counters import CaptureCounts, Counters
from perennial_contracts.wire.profile import Distribution, Profile
from perennial_runtime.monitoring.counter_metrics import CounterCollector, bin_names

PROFILE = Profile(
    rows=1,
    features=[
        Distribution(name="amount", edges=[-1.0, 0.1], counts=[0] * 4),
        Distribution(name="carrier", categories=["AA"], counts=[0] * 3),
    ],
    score=Distribution(name="score", edges=[0.5], counts=[0] * 3),
    label=Distribution(name="label", categories=["0", "1"], counts=[0] * 4),
)


@pytest.mark.parametrize(
    ("distribution", "names"),
    [
        ({"edges": [1.5, 3.0]}, ["<1.5", "[1.5,3)", ">=3", "missing"]),
        ({"edges": [float(np.float32(0.1))]}, ["<0.1", ">=0.1", "missing"]),
        ({"edges": [0.1, 1e300]}, ["<0.1", "[0.1,1e+300)", ">=1e+300", "missing"]),
        ({"edges": []}, ["any", "missing"]),
        ({"categories": ["a", "other"]}, ["a", "other", "(other)", "missing"]),
    ],
)
def test_bins_have_readable_names(distribution, names):
    found = bin_names(Distribution(name="x", counts=[0] * len(names), **distribution))
    assert found == names


def test_the_counters_are_metrics():
    counters = Counters(
        instance="i",
        digest="d",
        rows=3,
        features={"amount": [0, 1, 1, 1], "carrier": [1, 1, 1]},
        score=[1, 2, 0],
        label=[2, 1, 0, 0],
        labels=1,
        matrix=[[0, 1], [0, 0]],
        capture=CaptureCounts(written=5, dropped=2),
    )
    registry = CollectorRegistry()
    registry.register(CounterCollector(lambda: counters, PROFILE, ("0", "1")))
    lines = generate_latest(registry).decode().splitlines()
    for line in (
        "perennial_runtime_rows_total 3.0",
        'perennial_runtime_feature_values_total{bin="[-1,0.1)",feature="amount"} 1.0',
        'perennial_runtime_feature_values_total{bin="missing",feature="carrier"} 1.0',
        'perennial_runtime_scores_total{bin=">=0.5"} 2.0',
        'perennial_runtime_labels_total{label="0"} 2.0',
        'perennial_runtime_feedback_total{label="1",predicted="0"} 1.0',
        'perennial_runtime_captured_rows_total{outcome="written"} 5.0',
        'perennial_runtime_captured_rows_total{outcome="dropped"} 2.0',
    ):
        assert line in lines
    assert sum("feedback_total{" in line for line in lines) == 1
