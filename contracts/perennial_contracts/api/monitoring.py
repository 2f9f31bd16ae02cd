"""How a served model is watched: the settings in the spec, the findings in the status."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from ..stats.quality import MonitoredMetric
from .common import BUCKET_PATH, BUCKET_URIS, ApiModel, Moment, matches, rules
from .duration import Duration


class DriftReason(StrEnum):
    """Reasons of the condition DriftDetected."""

    NO_DRIFT = "NoDrift"
    """Nothing differs by more than chance, or by a size that matters."""
    SHIFTING = "Shifting"
    """Something differs: enough to be told, too little or too briefly to act on."""
    INPUT_DRIFT = "InputDrift"
    """Features have drifted; the answers have not. It warns, and retrains nothing."""
    PREDICTION_DRIFT = "PredictionDrift"
    """The answers have drifted; the features have not."""
    INPUT_AND_PREDICTION_DRIFT = "InputAndPredictionDrift"
    """Features and answers have drifted: what the trigger Drift means."""
    TOO_FEW_SAMPLES = "TooFewSamples"
    """The window is too small to tell; it goes on until it is large enough."""


class QualityReason(StrEnum):
    """Reasons of the condition QualityDropped."""

    AS_EVALUATED = "AsEvaluated"
    """The metric is where it was on held-out data, or above."""
    DROPPED = "Dropped"
    """The metric is lower than chance explains, window after window."""
    BELOW_ONCE = "BelowOnce"
    """The last window was lower than chance explains; the next ones tell."""
    TOO_FEW_LABELS = "TooFewLabels"
    """Too few labels have come back to tell."""
    NO_BASELINE = "NoBaseline"
    """The bundle's profile does not say how good the metric was on held-out data."""


class CaptureReason(StrEnum):
    """Reasons of the condition Capturing."""

    WRITING = "Writing"
    """What is captured is written."""
    WRITE_FAILED = "WriteFailed"
    """The store does not take it: rows are dropped, and counted. Serving goes on."""


class MonitoringReason(StrEnum):
    """Reasons that DriftDetected, QualityDropped and Capturing share: nothing can be said."""

    NO_PROFILE = "NoProfile"
    """The bundle has no profile.json."""
    PODS_UNREACHABLE = "PodsUnreachable"
    """The operator cannot read the counters of the pods."""
    NOT_SERVING = "NotServing"
    """No pod of the stable revision answers yet."""


class DriftSettings(ApiModel):
    """When a difference between traffic and profile is drift."""

    warnPermille: Annotated[int, Field(ge=1, le=10000)] = 100
    """Population stability index, in thousandths, from which a difference is told."""
    actPermille: Annotated[int, Field(ge=1, le=10000)] = 200
    """Population stability index, in thousandths, from which it is drift."""
    minSamples: Annotated[int, Field(ge=100, le=10_000_000)] = 500
    """Predictions that a window needs; it goes on until it has them."""
    consecutive: Annotated[int, Field(ge=1, le=100)] = 2
    """Windows in a row that must show it."""


class QualitySettings(ApiModel):
    """When labels show that the model has become worse."""

    metric: MonitoredMetric = "f1"
    """The metric that is compared with its value on held-out data."""
    sigmas: Annotated[int, Field(ge=1, le=10)] = 3
    """Standard deviations below that are more than chance."""
    minDropPermille: Annotated[int, Field(ge=0, le=1000)] = 20
    """Drop of the metric, in thousandths, below which it is no matter."""
    minLabels: Annotated[int, Field(ge=30, le=10_000_000)] = 500
    """Labels that a window needs; it goes on until it has them."""
    consecutive: Annotated[int, Field(ge=1, le=100)] = 2
    """Windows in a row that must show it."""


class Capture(ApiModel):
    """Where predictions and labels are kept for retraining."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules(
                (
                    matches(*BUCKET_URIS, "pvc://[^/]+/.+"),
                    f"expected pvc://CLAIM/PATH, {BUCKET_PATH}",
                )
            ),
        ),
    ]
    """A folder in a bucket, with the credentials of spec.model.secretRef: s3://BUCKET/PATH,
    gs://BUCKET/PATH, az://CONTAINER/PATH, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH; or
    on a volume: pvc://CLAIM/PATH. Parquet files appear below it, by kind, model, version and
    date."""
    samplePermille: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Share of the predictions that is kept, in thousandths, chosen by prediction id."""
    flushSeconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Longest time that a prediction waits to be written."""


class Monitoring(ApiModel):
    """How the served model is watched."""

    window: Duration = "1h"
    """How long predictions and labels are counted before they are judged."""
    drift: Annotated[DriftSettings, Field(default_factory=DriftSettings)]
    """When a difference between traffic and profile is drift."""
    quality: Annotated[QualitySettings, Field(default_factory=QualitySettings)]
    """When labels show that the model has become worse."""
    capture: Capture | None = None
    """Where predictions and labels are kept for retraining; nowhere where absent."""


class DriftedFeature(ApiModel):
    """How far one distribution is from the profile."""

    name: Annotated[str, Field(max_length=256)]
    """The feature; for the model's own answers score or label."""
    level: Literal["Stable", "Warn", "Act"]
    """Act: far enough to be drift. Warn: far enough to be told."""
    psiPermille: Annotated[int, Field(ge=0)]
    """Population stability index, in thousandths."""
    limitPermille: Annotated[int, Field(ge=0)]
    """What chance alone makes of it, in thousandths, for this size of window."""


class DriftState(ApiModel):
    """The last window of predictions that was judged."""

    windowEnd: Moment
    """When the window ended."""
    samples: Annotated[int, Field(ge=0)]
    """Predictions in it."""
    features: Annotated[list[DriftedFeature], Field(max_length=10)]
    """The distributions farthest from the profile."""
    inputStreak: Annotated[int, Field(ge=0)] = 0
    """Windows in a row in which a feature had drifted."""
    predictionStreak: Annotated[int, Field(ge=0)] = 0
    """Windows in a row in which the answers had drifted."""


class QualityState(ApiModel):
    """The last window of labels that was judged."""

    windowEnd: Moment
    """When the window ended."""
    labels: Annotated[int, Field(ge=0)]
    """Labels in it."""
    metric: MonitoredMetric
    """What was measured."""
    valuePermille: Annotated[int, Field(ge=0, le=1000)]
    """In the window."""
    baselinePermille: Annotated[int, Field(ge=0, le=1000)]
    """On held-out data, when the model was made."""
    limitPermille: Annotated[int, Field(ge=-1000, le=1000)]
    """Below this it is more than chance."""
    streak: Annotated[int, Field(ge=0)] = 0
    """Windows in a row below the limit."""


class MonitoringStatus(ApiModel):
    """What the pods' counters told about the stable revision."""

    digest: Annotated[str, Field(max_length=71)]
    """The model that it is about; another one starts from nothing."""
    labels: Annotated[int, Field(ge=0)] = 0
    """Labels that came back for this model, in the windows that were judged."""
    drift: DriftState | None = None
    """The last window of predictions that was judged."""
    quality: QualityState | None = None
    """The last window of labels that was judged."""
