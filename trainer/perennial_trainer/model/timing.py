"""How long models take, asked side by side: processor time of one thread, over different rows.

What else the machine does counts little: processor time does not go on while others are served, and
all models take their turns in every round.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

ROUNDS = 20
CALLS = 10
"""Most calls of a model in a round."""
ROUND_SECONDS = 0.02
"""No further call of a model begins in a round after this time; one is always made."""
ROWS = 20
"""Different rows that are asked in turn: trees take more or less long by the row."""


def spread(rows: int, most: int = ROWS) -> np.ndarray:
    """Places of at most so many rows, from all over them."""
    return np.unique(np.linspace(0, max(rows - 1, 0), min(max(rows, 1), most)).astype(np.int64))


def side_by_side(
    models: Sequence[Callable[[Mapping[str, np.ndarray]], object]],
    asked: Sequence[Mapping[str, np.ndarray]],
    rounds: int = ROUNDS,
) -> list[np.ndarray]:
    """Times the calls of models, in microseconds; of each model shape (calls,).

    Args:
        models: called with what is asked. A first round warms them up and does not count.
        asked: in turn, the next one at each call of a model.
        rounds: how many.
    """
    seconds: list[list[float]] = [[] for _ in models]
    for number in range(rounds + 1):
        for place, model in enumerate(models):
            taken = _round(model, asked, len(seconds[place]))
            if number:
                seconds[place] += taken
    return [np.array(taken) * 1e6 for taken in seconds]


def p95(microseconds: np.ndarray) -> float:
    """What 95 of 100 calls take at most."""
    return round(float(np.quantile(microseconds, 0.95)), 1)


def p50(microseconds: np.ndarray) -> float:
    """The median."""
    return round(float(np.median(microseconds)), 1)


def _round(
    model: Callable[[Mapping[str, np.ndarray]], object],
    asked: Sequence[Mapping[str, np.ndarray]],
    turn: int,
) -> list[float]:
    taken: list[float] = []
    clock, end = _clock(), time.perf_counter() + ROUND_SECONDS
    while not taken or (len(taken) < CALLS and time.perf_counter() < end):
        feeds = asked[(turn + len(taken)) % len(asked)]
        begun = clock()
        model(feeds)
        taken.append(clock() - begun)
    return taken


def _clock() -> Callable[[], float]:
    """The processor time of this thread; the wall clock where the former goes on in large steps."""
    fine = len({time.thread_time() for _ in range(20)}) > 10
    return time.thread_time if fine else time.perf_counter
