"""The one-standard-error rule, which chooses among trials.

It takes the simplest kind within one standard error of the best (Hastie, Tibshirani and Friedman,
The Elements of Statistical Learning, 7.10). The error is that of the difference to the best over
the folds, since both are measured on the same ones.
"""

from collections.abc import Sequence

import numpy as np

from perennial_contracts.api.search import CANDIDATES, Candidate
from perennial_contracts.stats.quality import ERRORS, MetricName


def gain(value: float, metric: MetricName) -> float:
    """Return the value of a metric with the sign that makes higher better."""
    return -value if metric in ERRORS else value


def choose(scores: Sequence[tuple[Candidate, np.ndarray]], metric: MetricName) -> tuple[int, str]:
    """Choose among trials, and give the reason.

    Args:
        scores: kind of each trial, and its scores on the same folds, shape (folds,).
        metric: the metric of the scores.

    Returns:
        Index of the simplest kind within one standard error of the best; of several settings of
        that kind the best.
    """
    sign = gain(1.0, metric)
    means = [float(values.mean()) for _, values in scores]
    best = int(np.argmax([sign * mean for mean in means]))
    close = []
    for index, (_, values) in enumerate(scores):
        gap = sign * (scores[best][1] - values)
        error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
        if gap.mean() <= error:
            close.append(index)
    chosen = min(close, key=lambda i: (CANDIDATES.index(scores[i][0]), -sign * means[i], i))
    if scores[chosen][0] == scores[best][0]:
        return best, f"the best of {len(scores)} by cross-validation"
    return chosen, (
        f"{means[chosen]:.4f} is within one standard error of the best, "
        f"{scores[best][0]} with {means[best]:.4f}, and it is simpler"
    )
