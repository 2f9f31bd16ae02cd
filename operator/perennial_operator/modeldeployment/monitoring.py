"""Whether the served model's traffic and quality are what they were when it was made.

Each window is judged once, when it has lasted long enough and holds enough; a smaller one goes on.
What counts as drift is said by ``perennial_contracts.stats.drift``, what as a drop of quality by
``perennial_contracts.stats.quality``; here they become streaks of windows, and a verdict.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from perennial_contracts.api.conditions import ConditionType
from perennial_contracts.api.duration import seconds
from perennial_contracts.api.monitoring import (
    CaptureReason,
    DriftedFeature,
    DriftReason,
    DriftSettings,
    DriftState,
    Monitoring,
    MonitoringReason,
    MonitoringStatus,
    QualityReason,
    QualitySettings,
    QualityState,
)
from perennial_contracts.stats import drift, quality
from perennial_contracts.stats.drift import Finding, Level
from perennial_contracts.wire.profile import Profile

from ..clock import to_text
from ..conditions import Verdict
from ..monitoring.windows import JudgedWindows, LabelWindow, Observation, PredictionWindow
from ..world import World

SHOWN = 10
"""Distributions that stand in the status."""
NAMED = 4
"""Distributions that a message names."""


@dataclass(frozen=True)
class Watched:
    """What is known of the stable revision's traffic."""

    status: MonitoringStatus | None
    drift: Verdict
    quality: Verdict
    capture: Verdict | None = None
    """None where nothing is captured."""
    judged: JudgedWindows = field(default_factory=JudgedWindows)
    """The windows that this decision has judged."""


def decide(world: World, now: datetime) -> Watched | None:
    """The judgement of what has been observed; None where the spec asks for none."""
    settings = world.spec.monitoring
    if not settings:
        return None
    watched = _watch(world, settings, now)
    if settings.capture and not watched.capture:
        capture = Verdict("Unknown", watched.drift.reason, watched.drift.message)
        return replace(watched, capture=capture)
    return watched


def _watch(world: World, settings: Monitoring, now: datetime) -> Watched:
    stable = world.status.stable
    before = world.status.monitoring
    if not stable:
        return _unknown(None, MonitoringReason.NOT_SERVING, "No model serves yet.")
    if before and before.digest != stable.digest:
        before = None
    status = before or MonitoringStatus(digest=stable.digest)
    seen = world.observation
    if not seen or seen.digest != stable.digest:
        # The verdicts of before stand until the operator, after a restart, has read the pods.
        return _as_before(world, before) or _unknown(
            status, MonitoringReason.NOT_SERVING, "The pods' counters have not been read yet."
        )
    if not seen.last and seen.problem:
        return _unknown(status, MonitoringReason.PODS_UNREACHABLE, f"{_sentence(seen.problem)}")
    if seen.has_profile is None:
        return _as_before(world, before) or _unknown(
            status, MonitoringReason.NOT_SERVING, "The model's profile has not been read yet."
        )
    if not seen.profile:
        return _unknown(
            status,
            MonitoringReason.NO_PROFILE,
            "The bundle has no profile.json; make it with perennial-trainer fit.",
        )
    return _judge(status, settings, seen, seen.profile, now)


def _judge(
    status: MonitoringStatus,
    settings: Monitoring,
    seen: Observation,
    profile: Profile,
    now: datetime,
) -> Watched:
    length = seconds(settings.window)
    predictions, labels = seen.predictions, seen.labels
    judged = JudgedWindows(
        predictions=_lasted(predictions.start, length, now)
        and predictions.rows >= settings.drift.minSamples,
        labels=_lasted(labels.start, length, now) and labels.labels >= settings.quality.minLabels,
    )
    drifted = status.drift
    if judged.predictions:
        drifted = judge_drift(predictions, profile, settings.drift, status.drift, now)
    measured = status.quality
    if judged.labels:
        measured = judge_quality(labels, profile, settings.quality, status.quality, now)
    return Watched(
        status.model_copy(
            update={
                "drift": drifted,
                "quality": measured,
                "labels": status.labels + (labels.labels if judged.labels else 0),
            }
        ),
        _drift_verdict(drifted, settings.drift, predictions),
        _quality_verdict(measured, settings.quality, labels, profile),
        _capture_verdict(settings, seen.capture_problem),
        judged,
    )


def judge_drift(
    window: PredictionWindow,
    profile: Profile,
    settings: DriftSettings,
    before: DriftState | None,
    now: datetime,
) -> DriftState:
    """What a whole window of predictions shows."""
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
    # The answers stand among the shown ones in any case: they decide.
    shown = sorted(findings, key=lambda finding: (not finding.is_prediction, -finding.psi))[:SHOWN]
    return DriftState(
        windowEnd=to_text(now),
        samples=window.rows,
        features=[_feature(finding) for finding in sorted(shown, key=lambda each: -each.psi)],
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
    """What a whole window of labels shows; None where the metric cannot be told from it."""
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


def _drift_verdict(
    state: DriftState | None, settings: DriftSettings, window: PredictionWindow
) -> Verdict:
    if not state:
        return Verdict(
            "Unknown",
            DriftReason.TOO_FEW_SAMPLES,
            f"Counting since {to_text(window.start)}; a window needs {settings.minSamples:,} "
            "predictions.",
        )
    inputs = state.inputStreak >= settings.consecutive
    answers = state.predictionStreak >= settings.consecutive
    told = [feature for feature in state.features if feature.level != "Stable"]
    where = f"In {state.samples:,} predictions until {state.windowEnd}"
    if not told:
        return Verdict(
            "False", DriftReason.NO_DRIFT, f"{where} nothing differs enough from the profile."
        )
    named = ", ".join(
        f"{feature.name} (PSI {_decimal(feature.psiPermille)})" for feature in told[:NAMED]
    )
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    said = f"{where} {named}{more} differ from the profile; drift begins at " + _decimal(
        settings.actPermille
    )
    if inputs and answers:
        reason = DriftReason.INPUT_AND_PREDICTION_DRIFT
    elif answers:
        reason = DriftReason.PREDICTION_DRIFT
    elif inputs:
        said += "; the model's answers have not drifted, so nothing is retrained for it"
        reason = DriftReason.INPUT_DRIFT
    else:
        streak = max(state.inputStreak, state.predictionStreak)
        if streak:
            said += f", in {streak} of {settings.consecutive} windows in a row so far"
        return Verdict("False", DriftReason.SHIFTING, f"{said}.")
    return Verdict("True", reason, f"{said}.")


def _quality_verdict(
    state: QualityState | None,
    settings: QualitySettings,
    window: LabelWindow,
    profile: Profile,
) -> Verdict:
    if settings.metric not in profile.quality:
        known = ", ".join(sorted(profile.quality)) or "none"
        return Verdict(
            "Unknown",
            QualityReason.NO_BASELINE,
            f"The bundle's profile has no baseline for {settings.metric}, only: {known}. "
            "Change spec.monitoring.quality.metric, or make the bundle anew.",
        )
    if not state or state.metric != settings.metric:
        return Verdict(
            "Unknown",
            QualityReason.TOO_FEW_LABELS,
            f"Counting since {to_text(window.start)}; a window needs {settings.minLabels:,} labels "
            "posted to the model's feedback.",
        )
    said = (
        f"{state.metric} is {_decimal(state.valuePermille)} on {state.labels:,} labels until "
        f"{state.windowEnd}; it was {_decimal(state.baselinePermille)} on held-out data, and below "
        f"{_decimal(state.limitPermille)} is more than chance"
    )
    if state.streak >= settings.consecutive:
        return Verdict("True", QualityReason.DROPPED, f"{said}.")
    if state.streak:
        said += f" ({state.streak} of {settings.consecutive} windows in a row so far)"
        return Verdict("False", QualityReason.BELOW_ONCE, f"{said}.")
    return Verdict("False", QualityReason.AS_EVALUATED, f"{said}.")


def _capture_verdict(settings: Monitoring, problem: str) -> Verdict | None:
    if not settings.capture:
        return None
    if problem:
        return Verdict(
            "False",
            CaptureReason.WRITE_FAILED,
            f"Rows are dropped: {problem.rstrip('.')}. The model goes on answering. Check "
            "spec.monitoring.capture.uri and that spec.model.secretRef allows to write there.",
        )
    return Verdict("True", CaptureReason.WRITING, f"Written to {settings.capture.uri}.")


def _unknown(status: MonitoringStatus | None, reason: str, message: str) -> Watched:
    verdict = Verdict("Unknown", reason, message)
    return Watched(status, verdict, verdict)


def _as_before(world: World, status: MonitoringStatus | None) -> Watched | None:
    """The verdicts that stand in the status, where they are about this model and spec."""
    held = {
        condition.type: Verdict(condition.status, condition.reason, condition.message)
        for condition in world.status.conditions
        if condition.observedGeneration == world.generation
    }
    drifted = held.get(ConditionType.DRIFT_DETECTED)
    dropped = held.get(ConditionType.QUALITY_DROPPED)
    if status is None or drifted is None or dropped is None:
        return None
    return Watched(status, drifted, dropped, held.get(ConditionType.CAPTURING))


def _feature(finding: Finding) -> DriftedFeature:
    limit = min(finding.limit, 1000.0)  # of a profile without rows it is infinite
    return DriftedFeature(
        name=finding.name[:256],
        level=finding.level.value,
        psiPermille=round(finding.psi * 1000),
        limitPermille=round(limit * 1000),
    )


def _lasted(start: datetime, length: float, now: datetime) -> bool:
    return (now - start).total_seconds() >= length


def _decimal(permille: int) -> str:
    return f"{permille / 1000:.3f}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
