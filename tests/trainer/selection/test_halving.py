"""Successive halving: its rounds and survivors."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.selection.halving import LEAST_KEPT, LEAST_ROWS, rounds, survivors


@given(st.integers(4, 3_000_000), st.integers(1, 1000))
def test_rounds_grow_to_all_rows_and_no_round_is_small(rows, trials):
    sizes = rounds(rows, trials)
    assert sizes[-1] == rows
    assert all(fewer * 3 <= more for fewer, more in itertools.pairwise(sizes))
    assert len(sizes) == 1 or sizes[0] >= LEAST_ROWS
    if rows < 3 * LEAST_ROWS or trials <= LEAST_KEPT:
        assert sizes == [rows]


@given(st.lists(st.floats(-1, 1) | st.just(math.nan), min_size=1, max_size=40))
def test_the_best_survive_and_at_least_one_does(values):
    kept = survivors(values)
    assert 1 <= len(kept) == len(set(kept))
    assert len(kept) >= min(len(values), LEAST_KEPT)
    dropped = [values[place] for place in range(len(values)) if place not in kept]
    for place in kept:
        if not math.isnan(values[place]):
            assert all(math.isnan(value) or value <= values[place] for value in dropped)
    if math.isnan(values[kept[0]]):
        assert all(map(math.isnan, values))
