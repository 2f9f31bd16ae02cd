"""Decide if a window of counts differs from the profile by more than chance.

The measure is the population stability index (PSI) over the profile's bins. Without drift it is
approximately (1/n + 1/m) times a chi-square variable with B - 1 degrees of freedom (Yurdakul and
Naranjo 2020, arXiv 2307.11878), which gives the limit for each size of window. A distribution has
drifted if its index reaches both that limit and the threshold of the user.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..wire.profile import Distribution, Profile
from .chi2 import upper_quantile

ALPHA = 0.01
"""Probability of a false alarm in one window, over all distributions of a profile together."""
SCORE, LABEL = "score", "label"


class Level(StrEnum):
    """Severity of the change of a distribution."""

    STABLE = "Stable"
    WARN = "Warn"
    ACT = "Act"


@dataclass(frozen=True)
class Finding:
    """One distribution in one window."""

    name: str
    """Name of the feature; ``score`` or ``label`` for predictions."""
    is_prediction: bool
    psi: float
    limit: float
    """Limit that chance exceeds with probability ALPHA, shared among all distributions."""
    level: Level


def psi(reference: Sequence[int] | np.ndarray, window: Sequence[int] | np.ndarray) -> float:
    """Return the PSI, sum((q - p) ln(q / p)), of two count vectors.

    Shares are (c + 1) / (N + B), Laplace's rule of succession, so an empty bin gives no infinity.
    With half a count instead of one, windows of 100 rows exceed the chi-square limit twice as
    often as they should (benchmarks/drift_calibration.py).
    """
    a, b = np.asarray(reference, np.float64), np.asarray(window, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"expected as many bins, got {a.size} and {b.size}")
    p = (a + 1) / (a.sum() + a.size)
    q = (b + 1) / (b.sum() + b.size)
    return float(((q - p) * np.log(q / p)).sum())


def chance_limit(bins: int, reference: int, window: int, family: int = 1) -> float:
    """Return the index that chance exceeds with probability ALPHA / ``family``.

    Args:
        bins: bins that are not empty in both.
        reference: rows of the profile.
        window: rows of the window.
        family: number of distributions judged at once (Bonferroni).
    """
    if min(reference, window) < 1:
        return float("inf")
    if bins < 2:
        return 0.0
    return upper_quantile(bins - 1, ALPHA / family) * (1 / reference + 1 / window)


def judge(
    profile: Profile,
    features: Mapping[str, Sequence[int]],
    score: Sequence[int] | None,
    label: Sequence[int] | None,
    *,
    warn: float,
    act: float,
) -> list[Finding]:
    """Compare all distributions of a window with the profile; largest index first.

    Missing counts, and counts with another number of bins than the profile, are skipped.

    Args:
        profile: the reference.
        features: counts of the window by feature.
        score: counts of the window over the score's bins.
        label: counts of the window over the label's bins.
        warn: smallest index that is reported.
        act: smallest index that is acted on.
    """
    pairs: list[tuple[str, Distribution, Sequence[int], bool]] = [
        (feature.name, feature, features[feature.name], False)
        for feature in profile.features
        if len(features.get(feature.name, ())) == feature.bins
    ]
    for name, answer, answered in ((SCORE, profile.score, score), (LABEL, profile.label, label)):
        if answer and answered is not None and len(answered) == answer.bins:
            pairs.append((name, answer, answered, True))
    findings = [
        _find(name, reference, counts, is_prediction, len(pairs), warn, act)
        for name, reference, counts, is_prediction in pairs
    ]
    return sorted(findings, key=lambda finding: (-finding.psi, finding.name))


def _find(
    name: str,
    reference: Distribution,
    counts: Sequence[int],
    is_prediction: bool,
    family: int,
    warn: float,
    act: float,
) -> Finding:
    held = np.asarray(reference.counts) + np.asarray(counts) > 0
    index = psi(np.asarray(reference.counts)[held], np.asarray(counts)[held])
    limit = chance_limit(int(held.sum()), sum(reference.counts), sum(counts), family)
    level = Level.STABLE
    if index >= max(warn, limit):
        level = Level.ACT if index >= max(act, limit) else Level.WARN
    return Finding(name, is_prediction, index, limit, level)
