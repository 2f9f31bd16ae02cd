"""Sums of the counters of several processes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.wire.counters import CaptureCounts, Counters, merged

count = st.integers(0, 2**62)


def counts(size):
    return st.lists(count, min_size=size, max_size=size)


capture = st.builds(CaptureCounts, written=count, dropped=count, problem=st.text(max_size=3))
counters = st.builds(
    Counters,
    instance=st.just("i"),
    digest=st.just("sha256:0"),
    rows=count,
    features=st.fixed_dictionaries({}, optional={"a": counts(3), "b": counts(2)}),
    score=st.none() | counts(3),
    label=st.none() | counts(4),
    labels=count,
    matrix=st.just([]) | st.lists(counts(2), min_size=2, max_size=2),
    scores=st.just([]) | st.lists(counts(20), min_size=2, max_size=2),
    capture=st.none() | capture,
)


@given(st.lists(counters, min_size=1, max_size=5), st.data())
def test_neither_order_nor_grouping_matters(parts, data):
    whole = merged(parts)
    assert merged(data.draw(st.permutations(parts))) == whole
    cut = data.draw(st.integers(1, len(parts)))
    assert merged([merged(parts[:cut]), *parts[cut:]]) == whole


@given(counters)
def test_adding_empty_counters_changes_nothing(part):
    assert merged([part, Counters(instance=part.instance, digest=part.digest)]) == part


def test_counters_are_added_bin_by_bin():
    one = Counters(
        instance="i",
        digest="d",
        rows=3,
        features={"a": [1, 2]},
        score=[3, 0],
        label=[2, 1],
        labels=2,
        matrix=[[1, 0], [0, 1]],
        scores=[[1, 0], [0, 1]],
        capture=CaptureCounts(written=3, dropped=1, problem="the store is full"),
    )
    other = one.model_copy(update={"capture": CaptureCounts(written=2)})
    assert merged([one, other]) == Counters(
        instance="i",
        digest="d",
        rows=6,
        features={"a": [2, 4]},
        score=[6, 0],
        label=[4, 2],
        labels=4,
        matrix=[[2, 0], [0, 2]],
        scores=[[2, 0], [0, 2]],
        capture=CaptureCounts(written=5, dropped=1, problem="the store is full"),
    )


@pytest.mark.parametrize(
    "other",
    [
        Counters(instance="j", digest="d"),
        Counters(instance="i", digest="e"),
        Counters(instance="i", digest="d", score=[1, 2, 3]),
        Counters(instance="i", digest="d", matrix=[[1]]),
    ],
)
def test_counters_of_different_models_are_not_added(other):
    one = Counters(instance="i", digest="d", score=[1, 2], matrix=[[1, 2], [3, 4]])
    with pytest.raises(ValueError, match=r"expected|zip"):
        merged([one, other])


def test_merging_no_counters_raises():
    with pytest.raises(ValueError, match="at least one"):
        merged([])
