"""Counting in bulk gives what counting each row would give."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from perennial_contracts.wire.counters import CaptureCounts, Counters
from perennial_contracts.wire.profile import Distribution, Profile
from perennial_runtime.classes import Classes
from perennial_runtime.monitoring.counter_metrics import CounterCollector, bin_names
from perennial_runtime.monitoring.drift_counters import Batch, DriftCounters
from perennial_runtime.monitoring.feedback_counts import FeedbackCounts
from perennial_runtime.protocol.perennial.prediction_id import PredictionId

CLASSES = Classes(("0", "1"), 1)
PROFILE = Profile(
    rows=1,
    features=[
        Distribution(name="amount", edges=[-1.0, 0.1], counts=[0] * 4),
        Distribution(name="carrier", categories=["AA"], counts=[0] * 3),
    ],
    score=Distribution(name="score", edges=[0.5], counts=[0] * 3),
    label=Distribution(name="label", categories=["0", "1"], counts=[0] * 4),
)

row = st.tuples(
    st.floats(width=32) | st.sampled_from([-1.0, float(np.float32(0.1))]),
    st.sampled_from(["AA", "BB", ""]),
    st.floats(0, 1, width=32),
)


def batch(rows) -> Batch:
    amounts, carriers, scores = zip(*rows, strict=True) if rows else ((), (), ())
    yes = np.array(scores, np.float32)
    features = {
        "amount": np.array(amounts, np.float32).reshape(-1, 1),
        "carrier": np.array(carriers, object).reshape(-1, 1),
    }
    return Batch(
        len(rows), features, (yes > 0.5).astype(np.int64), np.stack([1 - yes, yes], axis=1)
    )


@given(st.lists(st.lists(row, max_size=4), max_size=6))
def test_the_counts_are_those_of_the_rows_one_by_one(batches):
    whole, single = DriftCounters(PROFILE, CLASSES), DriftCounters(PROFILE, CLASSES)
    for rows in batches:
        whole.add(batch(rows))
        for one in rows:
            single.add(batch([one]))
            single.read()
    assert whole.read() == single.read()


@given(st.lists(row, max_size=6))
def test_bare_values_are_counted_like_arrays(rows):
    tally, bare = (
        DriftCounters(PROFILE, CLASSES),
        DriftCounters(PROFILE, CLASSES, ["other", "carrier", "amount"]),
    )
    for amount, carrier, score in rows:
        one = batch([(amount, carrier, score)])
        tally.add(one)
        bare.add(one._replace(features={}, row=(7, carrier, amount)))
    assert bare.read() == tally.read()


def test_every_row_is_in_one_bin_of_each():
    tally = DriftCounters(PROFILE, CLASSES)
    rows = [(float("nan"), "", 0.7), (-1.0, "AA", 0.2), (5.0, "ZZ", 0.5)]
    tally.add(batch(rows))
    tallied = tally.read()
    assert tallied.rows == 3
    assert tallied.features == {"amount": [0, 1, 1, 1], "carrier": [1, 1, 1]}
    assert tallied.score == [1, 2, 0]
    assert tallied.label == [2, 1, 0, 0]


def test_nothing_is_lost_between_threads():
    tally = DriftCounters(PROFILE, CLASSES)
    part = batch([(0.0, "AA", 0.7)])

    def work(_):
        for _ in range(500):
            tally.add(part)
        tally.read()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    tallied = tally.read()
    assert tallied.rows == 4000
    assert tallied.features == {"amount": [0, 4000, 0, 0], "carrier": [4000, 0, 0]}
    assert tallied.label == [0, 4000, 0, 0]


def test_without_a_profile_only_rows_are_counted():
    tally = DriftCounters(None, CLASSES)
    tally.add(batch([(0.0, "AA", 0.7)] * 3))
    tallied = tally.read()
    assert (tallied.rows, tallied.features, tallied.score, tallied.label) == (3, {}, None, None)


def prediction(key=0, predicted=1, score=150):
    return PredictionId("0" * 12, 0, key, predicted, score)


def test_labels_are_counted_by_what_was_predicted():
    verdicts = FeedbackCounts(CLASSES)
    for key, (predicted, score, truth) in enumerate([(1, 150, "1"), (1, 150, "0"), (0, 10, "1")]):
        verdicts.add(prediction(key, predicted, score), truth)
    labels, matrix, scores = verdicts.read()
    assert labels == 3
    assert matrix == [[0, 1], [1, 1]]
    assert [sum(row) for row in scores] == [1, 2]
    assert (scores[0][150], scores[1][150], scores[1][10]) == (1, 1, 1)


def test_a_label_that_comes_twice_is_counted_once(monkeypatch):
    monkeypatch.setattr("perennial_runtime.monitoring.feedback_counts.REMEMBERED_IDS", 2)
    verdicts = FeedbackCounts(CLASSES)
    for key in (1, 1, 2, 1):
        verdicts.add(prediction(key), "1")
    assert verdicts.read()[0] == 2
    for key in (3, 1):  # 1 is forgotten meanwhile: memory is bounded
        verdicts.add(prediction(key), "1")
    assert verdicts.read()[0] == 4


def test_scores_need_a_positive_class_and_a_matrix_needs_classes():
    for classes, size in ((Classes(("0", "1"), None), 2), (None, 0)):
        verdicts = FeedbackCounts(classes)
        verdicts.add(prediction(), "1")
        labels, matrix, scores = verdicts.read()
        assert (labels, len(matrix), scores) == (1, size, [])


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
def test_bins_have_names_that_can_be_read(distribution, names):
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
    registry.register(CounterCollector(lambda: counters, PROFILE, CLASSES.names))
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
