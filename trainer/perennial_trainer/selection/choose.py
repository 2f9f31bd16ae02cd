"""The one-standard-error rule.

The simplest kind within one standard error of the best is taken (Hastie, Tibshirani and Friedman,
The Elements of Statistical Learning, 7.10). The error is that of the difference to the best over
the folds, for both are measured on the same ones.
"""

from collections.abc import Sequence

import numpy as np

from perennial_contracts.api.search import CANDIDATES, Candidate
from perennial_contracts.stats.quality import ERRORS, MetricName


def gain(value: float, metric: MetricName) -> float:
    """A metric's value such that higher is better."""
    return -value if metric in ERRORS else value


def choose(measured: Sequence[tuple[Candidate, np.ndarray]], metric: MetricName) -> tuple[int, str]:
    """Which of some trials is taken, and why.

    Args:
        measured: kind and values by fold, shape (folds,), of each trial; all on the same folds.
        metric: what the values are.

    Returns:
        Index of the simplest kind within one standard error of the best; of several settings of
        that kind the best one.
    """
    sign = gain(1.0, metric)
    means = [float(values.mean()) for _, values in measured]
    best = int(np.argmax([sign * mean for mean in means]))
    close = []
    for index, (_, values) in enumerate(measured):
        gap = sign * (measured[best][1] - values)
        error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
        if gap.mean() <= error:
            close.append(index)
    taken = min(close, key=lambda i: (CANDIDATES.index(measured[i][0]), -sign * means[i], i))
    if measured[taken][0] == measured[best][0]:
        return best, f"the best of {len(measured)} by cross-validation"
    return taken, (
        f"{means[taken]:.4f} is within one standard error of the best, "
        f"{measured[best][0]} with {means[best]:.4f}, and it is simpler"
    )
