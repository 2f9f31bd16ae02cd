"""The metrics of several processes, put together."""

import pytest
from prometheus_client.core import Metric

from perennial_runtime.metrics import Metrics, exposition
from perennial_runtime.workers.metric_families import from_json, merge_families, to_json

LABELS = ("v2", "infer")


def values(families):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def gauge(name, value):
    metric = Metric(name, "", "gauge")
    metric.add_sample(name, {}, value)
    return metric


def process(started=10.0, memory=100.0):
    """Return the metrics of a process that answered some requests."""
    metrics = Metrics()
    metrics.loaded(name="m", digest="d")
    metrics.ran((0.001, 0.002), 0.004)
    for seconds in (0.00005, 0.3):
        metrics.observe(LABELS, 200, seconds)
    metrics.queued = lambda: 2
    # The real values of this process change while the test runs.
    own = [family for family in metrics.families() if not family.name.startswith("process_")]
    started_at = gauge("process_start_time_seconds", started)
    return [*own, started_at, gauge("process_resident_memory_bytes", memory)]


def test_counters_histograms_and_gauges_are_summed():
    one, both = values(process()), values(merge_families([process(), process()]))
    assert one.keys() == both.keys()
    for key in one:
        if key[0] not in ("perennial_runtime_model_info", "process_start_time_seconds"):
            assert both[key] == 2 * one[key], key
    bucket = ("perennial_runtime_run_seconds_bucket", ("le", "0.005"))
    assert both[bucket] == 2
    assert both["process_resident_memory_bytes",] == 200
    assert both["perennial_runtime_requests_queued",] == 4


def test_a_sample_of_only_one_process_is_kept():
    other = Metrics()
    other.observe(("v1", "predict"), 400, 0.1)
    both = values(merge_families([process(), other.families()]))
    names = [name for name, *_ in both if name == "perennial_runtime_requests_total"]
    assert len(names) == 2


def test_an_info_metric_is_kept_once_and_the_start_time_is_the_earliest():
    both = values(merge_families([process(started=10.0), process(started=8.0)]))
    info = ("perennial_runtime_model_info", ("digest", "d"), ("name", "m"))
    assert both[info] == 1
    assert both["process_start_time_seconds",] == 8.0


@pytest.mark.parametrize("count", [1, 3])
def test_metrics_survive_encoding(count):
    parts = [process() for _ in range(count)]
    sent = [from_json(to_json(part)) for part in parts]
    assert exposition(merge_families(sent)) == exposition(merge_families(parts))


def test_merging_the_metrics_of_one_process_changes_nothing():
    families = process()
    assert exposition(merge_families([families])) == exposition(families)
