"""Successive halving: all are tried on a part of the rows, and only the better ones on more.

Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization
(AISTATS 2016), with rows as the resource.
"""

import math
from collections.abc import Sequence

KEPT = 3
"""One of so many goes on, and has so many times the rows."""
LEAST_ROWS = 1500
"""Of the first round; with fewer rows, folds say more about themselves than about models."""
LEAST_KEPT = 3


def rounds(rows: int, trials: int) -> list[int]:
    """How many rows each round has, the latest ones; all of them in the last one.

    One round alone where the rows or the trials are few.

    >>> rounds(20_000, 10)
    [2222, 6666, 20000]
    """
    sizes = [rows]
    while sizes[0] // KEPT >= LEAST_ROWS and trials > LEAST_KEPT:
        sizes.insert(0, sizes[0] // KEPT)
        trials = math.ceil(trials / KEPT)
    return sizes


def survivors(values: Sequence[float]) -> list[int]:
    """Places of the trials that go on to the next round, the best first.

    The best third, but no fewer than LEAST_KEPT where there are as many. Of equal ones the earlier
    goes first; NaN comes last.

    Args:
        values: of each trial on the rows of this round; higher is better.
    """
    ordered = sorted(
        range(len(values)),
        key=lambda place: (math.isnan(values[place]), -values[place], place),
    )
    return ordered[: max(LEAST_KEPT, math.ceil(len(values) / KEPT))]
