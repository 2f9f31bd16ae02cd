"""Whether a window of counts differs from the profile by more than chance.

The measure is the population stability index over the profile's bins. Under no drift it is, nearly,
a chi-square variable with B - 1 degrees of freedom times (1/n + 1/m) (Yurdakul and Naranjo 2020,
arXiv 2307.11878), so what chance alone makes of it is known for each size of window. A distribution
has drifted when its index reaches both that limit and a size that matters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..wire.profile import Distribution, Profile
from .chi2 import upper_quantile

ALPHA = 0.01
"""Chance of a false alarm in one window, over all the distributions of a profile together."""
SCORE, LABEL = "score", "label"


class Level(StrEnum):
    """How far a distribution has moved."""

    STABLE = "Stable"
    WARN = "Warn"
    ACT = "Act"


@dataclass(frozen=True)
class Finding:
    """One distribution in one window."""

    name: str
    """The feature; for the model's own answers ``score`` or ``label``."""
    is_prediction: bool
    psi: float
    limit: float
    """What chance alone exceeds in ALPHA of all windows, shared among all distributions."""
    level: Level


def psi(reference: Sequence[int] | np.ndarray, window: Sequence[int] | np.ndarray) -> float:
    """The population stability index, sum((q - p) ln(q / p)), of two count vectors of one length.

    Shares are (c + 1) / (N + B), Laplace's rule of succession, so that an empty bin is no infinity.
    With half a count in place of one, windows of 100 rows exceed the chi-square limit twice as
    often as they should (benchmarks/drift_calibration.py).
    """
    a, b = np.asarray(reference, np.float64), np.asarray(window, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"expected as many bins, got {a.size} and {b.size}")
    p = (a + 1) / (a.sum() + a.size)
    q = (b + 1) / (b.sum() + b.size)
    return float(((q - p) * np.log(q / p)).sum())


def chance_limit(bins: int, reference: int, window: int, family: int = 1) -> float:
    """The index that no drift exceeds with probability ALPHA / ``family``.

    Args:
        bins: bins that hold anything in either of the two.
        reference: rows of the profile.
        window: rows of the window.
        family: distributions that are judged at once (Bonferroni).
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
    """All distributions of a window, the farthest first.

    Counts whose number of bins is not the profile's, or that are missing, are left out.

    Args:
        profile: the reference.
        features: counts of the window by feature.
        score: counts of the window over the score's bins.
        label: counts of the window over the label's bins.
        warn: the index from which a difference is worth telling.
        act: the index from which it is worth acting on.
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
