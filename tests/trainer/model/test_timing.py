"""The one measurement of time: rows in turn, models in turn, processor time of one thread."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.model.timing import CALLS, ROUNDS, p50, p95, side_by_side, spread

ASKED = [{"x": np.full((1, 1), number)} for number in range(7)]


class Model:
    """Keeps what it was asked, in a list that all share."""

    def __init__(self, name: str, log: list[tuple[str, int]]) -> None:
        self.name, self.log = name, log

    def __call__(self, feeds) -> None:
        self.log.append((self.name, int(feeds["x"][0, 0])))


def test_models_take_turns_and_each_is_asked_all_rows_in_turn():
    log: list[tuple[str, int]] = []
    taken = side_by_side([Model("one", log), Model("other", log)], ASKED, rounds=3)
    assert [len(times) for times in taken] == [3 * CALLS] * 2
    names = [name for name, _ in log]
    assert names == (["one"] * CALLS + ["other"] * CALLS) * 4  # the first round does not count
    counted = [row for name, row in log[2 * CALLS :] if name == "one"]
    assert counted == [turn % len(ASKED) for turn in range(3 * CALLS)]


def test_a_slow_model_is_asked_a_row_a_round_and_not_always_the_same():
    log: list[tuple[str, int]] = []

    def slow(feeds):
        Model("slow", log)(feeds)
        time.sleep(0.025)

    (taken,) = side_by_side([slow], ASKED, rounds=7)
    assert len(taken) == 7
    assert [row for _, row in log[1:]] == list(range(7))


def test_time_that_a_model_only_waits_does_not_count():
    (taken,) = side_by_side([lambda feeds: time.sleep(0.01)], ASKED, rounds=3)
    assert p95(taken) < 5000


def test_a_search_asks_two_hundred_times_at_most():
    (taken,) = side_by_side([lambda feeds: None], ASKED)
    assert len(taken) == ROUNDS * CALLS == 200
    assert p50(taken) <= p95(taken)


@given(rows=st.integers(1, 500), most=st.integers(1, 50))
def test_rows_are_taken_from_all_over(rows, most):
    places = spread(rows, most)
    assert len(places) == min(rows, most)
    assert 0 == places[0] <= places[-1] < rows
    if most > 1:
        assert places[-1] == rows - 1
