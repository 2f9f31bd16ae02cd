"""The timing of models: rows and models in turn, processor time of one thread."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.model.timing import CALLS, ROUNDS, p50, p95, side_by_side, spread

FEEDS = [{"x": np.full((1, 1), number)} for number in range(7)]


class Model:
    """A model that logs its calls in a list that all models share."""

    def __init__(self, name: str, log: list[tuple[str, int]]) -> None:
        self.name, self.log = name, log

    def __call__(self, feeds) -> None:
        self.log.append((self.name, int(feeds["x"][0, 0])))


def test_models_take_turns_and_each_gets_all_rows_in_turn():
    log: list[tuple[str, int]] = []
    taken = side_by_side([Model("one", log), Model("other", log)], FEEDS, rounds=3)
    assert [len(times) for times in taken] == [3 * CALLS] * 2
    names = [name for name, _ in log]
    assert names == (["one"] * CALLS + ["other"] * CALLS) * 4  # the first round does not count
    counted = [row for name, row in log[2 * CALLS :] if name == "one"]
    assert counted == [turn % len(FEEDS) for turn in range(3 * CALLS)]


def test_a_slow_model_gets_one_row_per_round_and_each_a_different_one():
    log: list[tuple[str, int]] = []

    def slow(feeds):
        Model("slow", log)(feeds)
        time.sleep(0.025)

    (taken,) = side_by_side([slow], FEEDS, rounds=7)
    assert len(taken) == 7
    assert [row for _, row in log[1:]] == list(range(7))


def test_waiting_time_does_not_count():
    (taken,) = side_by_side([lambda feeds: time.sleep(0.01)], FEEDS, rounds=3)
    assert p95(taken) < 5000


def test_a_search_makes_at_most_two_hundred_calls():
    (taken,) = side_by_side([lambda feeds: None], FEEDS)
    assert len(taken) == ROUNDS * CALLS == 200
    assert p50(taken) <= p95(taken)


@given(rows=st.integers(1, 500), most=st.integers(1, 50))
def test_rows_are_spread_evenly(rows, most):
    indices = spread(rows, most)
    assert len(indices) == min(rows, most)
    assert 0 == indices[0] <= indices[-1] < rows
    if most > 1:
        assert indices[-1] == rows - 1
