"""Counting in bulk gives the same counts as counting each row."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.wire.profile import Distribution, Profile
from perennial_runtime.classes import Classes
from perennial_runtime.monitoring.drift_counters import Batch, DriftCounters

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
def test_the_counts_are_those_of_single_rows(batches):
    whole, single = DriftCounters(PROFILE, CLASSES), DriftCounters(PROFILE, CLASSES)
    for rows in batches:
        whole.add(batch(rows))
        for each in rows:
            single.add(batch([each]))
            single.read()
    assert whole.read() == single.read()


@given(st.lists(row, max_size=6))
def test_bare_values_are_counted_like_arrays(rows):
    counters, bare = (
        DriftCounters(PROFILE, CLASSES),
        DriftCounters(PROFILE, CLASSES, ["other", "carrier", "amount"]),
    )
    for amount, carrier, score in rows:
        part = batch([(amount, carrier, score)])
        counters.add(part)
        bare.add(part._replace(features={}, row=(7, carrier, amount)))
    assert bare.read() == counters.read()


def test_every_row_is_in_one_bin_of_each_distribution():
    counters = DriftCounters(PROFILE, CLASSES)
    rows = [(float("nan"), "", 0.7), (-1.0, "AA", 0.2), (5.0, "ZZ", 0.5)]
    counters.add(batch(rows))
    counts = counters.read()
    assert counts.rows == 3
    assert counts.features == {"amount": [0, 1, 1, 1], "carrier": [1, 1, 1]}
    assert counts.score == [1, 2, 0]
    assert counts.label == [2, 1, 0, 0]


def test_nothing_is_lost_between_threads():
    counters = DriftCounters(PROFILE, CLASSES)
    part = batch([(0.0, "AA", 0.7)])

    def work(_):
        for _ in range(500):
            counters.add(part)
        counters.read()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    counts = counters.read()
    assert counts.rows == 4000
    assert counts.features == {"amount": [0, 4000, 0, 0], "carrier": [4000, 0, 0]}
    assert counts.label == [0, 4000, 0, 0]


def test_without_a_profile_only_rows_are_counted():
    counters = DriftCounters(None, CLASSES)
    counters.add(batch([(0.0, "AA", 0.7)] * 3))
    counts = counters.read()
    assert (counts.rows, counts.features, counts.score, counts.label) == (3, {}, None, None)
