"""Timing of models in turn: processor time of one thread, over different rows.

Other load on the machine has little effect: processor time does not advance while other processes
run, and the models take turns in every round.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

ROUNDS = 20
CALLS = 10
"""Most calls of a model in a round."""
ROUND_SECONDS = 0.02
"""Time after which a model's turn in a round ends; it makes at least one call."""
ROWS = 20
"""Number of different rows: the time of trees depends on the row."""


def spread(rows: int, most: int = ROWS) -> np.ndarray:
    """Return at most this many indices, spread evenly over the rows."""
    return np.unique(np.linspace(0, max(rows - 1, 0), min(max(rows, 1), most)).astype(np.int64))


def side_by_side(
    models: Sequence[Callable[[Mapping[str, np.ndarray]], object]],
    feeds: Sequence[Mapping[str, np.ndarray]],
    rounds: int = ROUNDS,
) -> list[np.ndarray]:
    """Time the calls of models, in microseconds; shape (calls,) for each model.

    Args:
        models: the calls to time. A first round warms them up and does not count.
        feeds: arguments of the calls; each call of a model takes the next one.
        rounds: number of rounds.
    """
    seconds: list[list[float]] = [[] for _ in models]
    for number in range(rounds + 1):
        for index, model in enumerate(models):
            times = _time_turn(model, feeds, len(seconds[index]))
            if number:
                seconds[index] += times
    return [np.array(times) * 1e6 for times in seconds]


def p95(microseconds: np.ndarray) -> float:
    """Return the 95th percentile."""
    return round(float(np.quantile(microseconds, 0.95)), 1)


def p50(microseconds: np.ndarray) -> float:
    """Return the median."""
    return round(float(np.median(microseconds)), 1)


def _time_turn(
    model: Callable[[Mapping[str, np.ndarray]], object],
    feeds: Sequence[Mapping[str, np.ndarray]],
    first: int,
) -> list[float]:
    times: list[float] = []
    clock, end = _clock(), time.perf_counter() + ROUND_SECONDS
    while not times or (len(times) < CALLS and time.perf_counter() < end):
        argument = feeds[(first + len(times)) % len(feeds)]
        start = clock()
        model(argument)
        times.append(clock() - start)
    return times


def _clock() -> Callable[[], float]:
    """Return the clock of this thread's CPU time; the wall clock if that is coarse."""
    fine = len({time.thread_time() for _ in range(20)}) > 10
    return time.thread_time if fine else time.perf_counter
