"""Judge one window of traffic against the model's profile; continue its streak."""

from datetime import datetime

from perennial_contracts.api.monitoring import (
    DriftedFeature,
    DriftSettings,
    DriftState,
    QualitySettings,
    QualityState,
)
from perennial_contracts.stats import drift, quality
from perennial_contracts.stats.drift import Finding, Level
from perennial_contracts.wire.profile import Profile

from ..clock import to_text
from ..monitoring.windows import LabelWindow, PredictionWindow

LISTED = 10
"""Distributions that the status lists."""


def judge_drift(
    window: PredictionWindow,
    profile: Profile,
    settings: DriftSettings,
    before: DriftState | None,
    now: datetime,
) -> DriftState:
    """Return the drift of a whole window of predictions, with the new streaks."""
    findings = drift.judge(
        profile,
        window.features,
        window.score or None,
        window.label or None,
        warn=settings.warnPermille / 1000,
        act=settings.actPermille / 1000,
    )
    acting = [finding for finding in findings if finding.level is Level.ACT]
    inputs = any(not finding.is_prediction for finding in acting)
    answers = any(finding.is_prediction for finding in acting)
    # The answers are always listed, since they decide about retraining.
    listed = sorted(findings, key=lambda finding: (not finding.is_prediction, -finding.psi))
    return DriftState(
        windowEnd=to_text(now),
        samples=window.rows,
        features=[
            _drifted_feature(each) for each in sorted(listed[:LISTED], key=lambda each: -each.psi)
        ],
        inputStreak=(before.inputStreak if before else 0) + 1 if inputs else 0,
        predictionStreak=(before.predictionStreak if before else 0) + 1 if answers else 0,
    )


def judge_quality(
    window: LabelWindow,
    profile: Profile,
    settings: QualitySettings,
    before: QualityState | None,
    now: datetime,
) -> QualityState | None:
    """Return the quality in a whole window of labels.

    If the metric cannot be computed from the window, the state before is returned.
    """
    baseline = profile.quality.get(settings.metric)
    positive = None
    if profile.positive is not None and profile.label and profile.label.categories:
        positive = profile.label.categories.index(profile.positive)
    value = quality.measure(settings.metric, window.matrix, window.scores or None, positive)
    if baseline is None or value is None:
        return before
    limit = baseline.value - quality.drop_limit(
        baseline, window.labels, settings.sigmas, settings.minDropPermille / 1000
    )
    return QualityState(
        windowEnd=to_text(now),
        labels=window.labels,
        metric=settings.metric,
        valuePermille=round(value * 1000),
        baselinePermille=round(baseline.value * 1000),
        limitPermille=round(limit * 1000),
        streak=(before.streak if before else 0) + 1 if value < limit else 0,
    )


def _drifted_feature(finding: Finding) -> DriftedFeature:
    limit = min(finding.limit, 1000.0)  # of a profile without rows it is infinite
    return DriftedFeature(
        name=finding.name[:256],
        level=finding.level.value,
        psiPermille=round(finding.psi * 1000),
        limitPermille=round(limit * 1000),
    )
