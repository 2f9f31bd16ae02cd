"""Successive halving: all trials on a part of the rows, the better ones on more.

Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization
(AISTATS 2016), with rows as the resource.
"""

import math
from collections.abc import Sequence

KEPT = 3
"""One of so many trials continues, with so many times the rows."""
LEAST_ROWS = 1500
"""Least rows of the first round; with fewer, scores depend more on the folds than on the models."""
LEAST_KEPT = 3


def rounds(rows: int, trials: int) -> list[int]:
    """Return the number of latest rows in each round; the last round has all rows.

    There is one round only if rows or trials are few.

    >>> rounds(20_000, 10)
    [2222, 6666, 20000]
    """
    sizes = [rows]
    while sizes[0] // KEPT >= LEAST_ROWS and trials > LEAST_KEPT:
        sizes.insert(0, sizes[0] // KEPT)
        trials = math.ceil(trials / KEPT)
    return sizes


def survivors(values: Sequence[float]) -> list[int]:
    """Return the indices of the trials for the next round, the best first.

    The best third continues, but at least LEAST_KEPT if there are as many. The earlier of equal
    ones comes first, NaN last.

    Args:
        values: score of each trial on the rows of this round; higher is better.
    """
    ordered = sorted(
        range(len(values)),
        key=lambda index: (math.isnan(values[index]), -values[index], index),
    )
    return ordered[: max(LEAST_KEPT, math.ceil(len(values) / KEPT))]
