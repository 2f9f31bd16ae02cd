import pytest

from flights_demo.pacing import paced


class Clock:
    """Clock that only sleeping moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_requests_are_spread_evenly_over_their_time():
    clock = Clock()
    times = [clock() - 100 for _ in paced("abcd", 2.0, clock, clock.sleep)]
    assert times == pytest.approx([0, 0.5, 1, 1.5])


def test_requests_that_are_late_follow_at_once_and_the_rest_is_in_time():
    clock = Clock()
    times = []
    for number, _ in paced("abcd", 2.0, clock, clock.sleep):
        times.append(clock() - 100)
        if number == 0:
            clock.now += 1.2
    assert times == pytest.approx([0, 1.2, 1.2, 1.5])


def test_each_item_comes_with_its_number():
    clock = Clock()
    assert list(paced("ab", 1.0, clock, clock.sleep)) == [(0, "a"), (1, "b")]
    assert list(paced("", 1.0, clock, clock.sleep)) == []
