"""Judge if inputs, answers and quality still match the profile of the model.

Each window is judged once, when it has lasted long enough and holds enough rows; until then it
keeps growing. ``perennial_contracts.stats`` defines drift and a drop of quality in one window; this
module counts such windows in a row and turns them into conditions.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from perennial_contracts.api.conditions import ConditionType
from perennial_contracts.api.duration import seconds
from perennial_contracts.api.monitoring import (
    CaptureReason,
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
from perennial_contracts.wire.profile import Profile

from ..clock import to_text
from ..conditions import ConditionState
from ..monitoring.windows import JudgedWindows, LabelWindow, Observation, PredictionWindow
from ..world import World
from .judgement import judge_drift, judge_quality

NAMED = 4
"""Distributions that a message names."""


@dataclass(frozen=True)
class MonitoringResult:
    """The verdicts on the traffic of the stable revision."""

    status: MonitoringStatus | None
    drift: ConditionState
    quality: ConditionState
    capture: ConditionState | None = None
    """None if the spec has no capture."""
    judged: JudgedWindows = field(default_factory=JudgedWindows)
    """The windows that were judged with this decision."""
    drifted: bool = False
    """True if inputs and answers have drifted: the trigger Drift."""
    dropped: bool = False
    """True if quality has dropped: the trigger QualityDrop."""


def decide(world: World, now: datetime) -> MonitoringResult | None:
    """Return the verdicts on the observed traffic; None if spec.monitoring is not set."""
    settings = world.spec.monitoring
    if not settings:
        return None
    result = _verdicts(world, settings, now)
    if settings.capture and not result.capture:
        capture = ConditionState("Unknown", result.drift.reason, result.drift.message)
        return replace(result, capture=capture)
    return result


def _verdicts(world: World, settings: Monitoring, now: datetime) -> MonitoringResult:
    stable = world.status.stable
    before = world.status.monitoring
    if not stable:
        return _unknown(None, MonitoringReason.NOT_SERVING, "No revision is ready to serve.")
    if before and before.digest != stable.digest:
        before = None
    status = before or MonitoringStatus(digest=stable.digest)
    seen = world.observation
    if not seen or seen.digest != stable.digest:
        # After a restart of the operator, the recorded verdicts stay until the pods are read.
        return _recorded(world, settings, before) or _unknown(
            status,
            MonitoringReason.NOT_SERVING,
            "The operator has not read the counters of the pods yet.",
        )
    if not seen.last and seen.problem:
        return _unknown(status, MonitoringReason.PODS_UNREACHABLE, _sentence(seen.problem))
    if seen.has_profile is None:
        return _recorded(world, settings, before) or _unknown(
            status,
            MonitoringReason.NOT_SERVING,
            "The operator has not read the profile of the model yet.",
        )
    if not seen.profile:
        return _unknown(
            status,
            MonitoringReason.NO_PROFILE,
            "The bundle has no profile.json, so its traffic cannot be compared. Create the bundle "
            "with perennial-trainer fit.",
        )
    return _judge(status, settings, seen, seen.profile, now)


def _judge(
    status: MonitoringStatus,
    settings: Monitoring,
    seen: Observation,
    profile: Profile,
    now: datetime,
) -> MonitoringResult:
    length = seconds(settings.window)
    predictions, labels = seen.predictions, seen.labels
    judged = JudgedWindows(
        predictions=_lasted(predictions.start, length, now)
        and predictions.rows >= settings.drift.minSamples,
        labels=_lasted(labels.start, length, now) and labels.labels >= settings.quality.minLabels,
    )
    drift_state = status.drift
    if judged.predictions:
        drift_state = judge_drift(predictions, profile, settings.drift, status.drift, now)
    quality_state = status.quality
    if judged.labels:
        quality_state = judge_quality(labels, profile, settings.quality, status.quality, now)
    return MonitoringResult(
        status.model_copy(
            update={
                "drift": drift_state,
                "quality": quality_state,
                "labels": status.labels + (labels.labels if judged.labels else 0),
            }
        ),
        _drift_condition(drift_state, settings.drift, predictions),
        _quality_condition(quality_state, settings.quality, labels, profile),
        _capture_condition(settings, seen.capture_problem),
        judged,
        drifted=_has_drifted(drift_state, settings.drift),
        dropped=settings.quality.metric in profile.quality
        and _has_dropped(quality_state, settings.quality),
    )


def _has_drifted(state: DriftState | None, settings: DriftSettings) -> bool:
    """Return whether inputs and answers have drifted in enough windows in a row."""
    if not state:
        return False
    return min(state.inputStreak, state.predictionStreak) >= settings.consecutive


def _has_dropped(state: QualityState | None, settings: QualitySettings) -> bool:
    """Return whether quality was too low in enough windows in a row."""
    return bool(state and state.metric == settings.metric and state.streak >= settings.consecutive)


def _drift_condition(
    state: DriftState | None, settings: DriftSettings, window: PredictionWindow
) -> ConditionState:
    if not state:
        return ConditionState(
            "Unknown",
            DriftReason.TOO_FEW_SAMPLES,
            f"Counting since {to_text(window.start)}. A window needs {settings.minSamples:,} "
            "predictions (spec.monitoring.drift.minSamples).",
        )
    inputs = state.inputStreak >= settings.consecutive
    answers = state.predictionStreak >= settings.consecutive
    shifted = [feature for feature in state.features if feature.level != "Stable"]
    window_text = f"In {state.samples:,} predictions until {state.windowEnd}"
    if not shifted:
        message = f"{window_text}, inputs and answers match the profile."
        return ConditionState("False", DriftReason.NO_DRIFT, message)
    named = ", ".join(
        f"{feature.name} (PSI {_decimal(feature.psiPermille)})" for feature in shifted[:NAMED]
    )
    more = f" and {len(shifted) - NAMED} more" if len(shifted) > NAMED else ""
    threshold = _decimal(settings.actPermille)
    message = (
        f"{window_text}, inputs or answers differ from the profile: {named}{more}. Drift begins at "
        f"PSI {threshold}"
    )
    if inputs and answers:
        reason = DriftReason.INPUT_AND_PREDICTION_DRIFT
    elif answers:
        reason = DriftReason.PREDICTION_DRIFT
    elif inputs:
        message += ". The answers have not drifted, so nothing is retrained for it"
        reason = DriftReason.INPUT_DRIFT
    else:
        streak = max(state.inputStreak, state.predictionStreak)
        if streak:
            message += f" in {settings.consecutive} windows in a row; so far {streak}"
        return ConditionState("False", DriftReason.SHIFTING, f"{message}.")
    return ConditionState("True", reason, f"{message}.")


def _quality_condition(
    state: QualityState | None,
    settings: QualitySettings,
    window: LabelWindow,
    profile: Profile,
) -> ConditionState:
    if settings.metric not in profile.quality:
        known = ", ".join(sorted(profile.quality)) or "none"
        return ConditionState(
            "Unknown",
            QualityReason.NO_BASELINE,
            f"The profile of the bundle has no baseline for {settings.metric}, only: {known}. "
            "Change spec.monitoring.quality.metric, or create the bundle again.",
        )
    if not state or state.metric != settings.metric:
        return ConditionState(
            "Unknown",
            QualityReason.TOO_FEW_LABELS,
            f"Counting since {to_text(window.start)}. A window needs {settings.minLabels:,} labels "
            "(spec.monitoring.quality.minLabels). Post them to the feedback endpoint of the model.",
        )
    message = (
        f"{state.metric} is {_decimal(state.valuePermille)} on {state.labels:,} labels until "
        f"{state.windowEnd}. It was {_decimal(state.baselinePermille)} on held-out data; a value "
        f"below {_decimal(state.limitPermille)} is a drop beyond chance"
    )
    if state.streak >= settings.consecutive:
        return ConditionState("True", QualityReason.DROPPED, f"{message}.")
    if state.streak:
        message += f". Windows below it in a row: {state.streak} of {settings.consecutive}"
        return ConditionState("False", QualityReason.BELOW_ONCE, f"{message}.")
    return ConditionState("False", QualityReason.AS_EVALUATED, f"{message}.")


def _capture_condition(settings: Monitoring, problem: str) -> ConditionState | None:
    if not settings.capture:
        return None
    if problem:
        return ConditionState(
            "False",
            CaptureReason.WRITE_FAILED,
            f"Captured rows are dropped: {problem.rstrip('.')}. The model keeps serving. Check "
            "spec.monitoring.capture.uri, and that the Secret in spec.model.secretRef may write "
            "there.",
        )
    message = f"Writing captured rows to {settings.capture.uri}."
    return ConditionState("True", CaptureReason.WRITING, message)


def _unknown(status: MonitoringStatus | None, reason: str, message: str) -> MonitoringResult:
    state = ConditionState("Unknown", reason, message)
    return MonitoringResult(status, state, state)


def _recorded(
    world: World, settings: Monitoring, status: MonitoringStatus | None
) -> MonitoringResult | None:
    """Return the recorded verdicts, if they are about this model and spec."""
    recorded = {
        condition.type: ConditionState(condition.status, condition.reason, condition.message)
        for condition in world.status.conditions
        if condition.observedGeneration == world.generation
    }
    drift_state = recorded.get(ConditionType.DRIFT_DETECTED)
    quality_state = recorded.get(ConditionType.QUALITY_DROPPED)
    if status is None or drift_state is None or quality_state is None:
        return None
    return MonitoringResult(
        status,
        drift_state,
        quality_state,
        recorded.get(ConditionType.CAPTURING),
        drifted=drift_state.status != "Unknown" and _has_drifted(status.drift, settings.drift),
        dropped=quality_state.status != "Unknown"
        and _has_dropped(status.quality, settings.quality),
    )


def _lasted(start: datetime, length: float, now: datetime) -> bool:
    return (now - start).total_seconds() >= length


def _decimal(permille: int) -> str:
    return f"{permille / 1000:.3f}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
