"""Monitoring of a served model: settings in the spec, results in the status."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from ..stats.quality import MonitoredMetric
from .common import BUCKET_PATH, BUCKET_URIS, ApiModel, Moment, matches, rules
from .duration import Duration


class DriftReason(StrEnum):
    """Reasons of the condition DriftDetected."""

    NO_DRIFT = "NoDrift"
    """No distribution differs from the profile by more than chance and warnPermille."""
    SHIFTING = "Shifting"
    """A distribution differs, but less than actPermille, or in too few windows."""
    INPUT_DRIFT = "InputDrift"
    """Features have drifted, answers have not. It is a warning and starts no run."""
    PREDICTION_DRIFT = "PredictionDrift"
    """Answers have drifted, features have not."""
    INPUT_AND_PREDICTION_DRIFT = "InputAndPredictionDrift"
    """Features and answers have drifted. The trigger Drift fires."""
    TOO_FEW_SAMPLES = "TooFewSamples"
    """The window has too few predictions; it stays open until it has enough."""


class QualityReason(StrEnum):
    """Reasons of the condition QualityDropped."""

    AS_EVALUATED = "AsEvaluated"
    """The metric is as high as on held-out data, or higher."""
    DROPPED = "Dropped"
    """The metric is lower than chance explains, in several windows in a row."""
    BELOW_ONCE = "BelowOnce"
    """The metric is lower than chance explains, but in too few windows."""
    TOO_FEW_LABELS = "TooFewLabels"
    """The window has too few labels; it stays open until it has enough."""
    NO_BASELINE = "NoBaseline"
    """The profile of the bundle has no value of the metric on held-out data."""


class CaptureReason(StrEnum):
    """Reasons of the condition Capturing."""

    WRITING = "Writing"
    """Captured rows are written."""
    WRITE_FAILED = "WriteFailed"
    """The store rejects the files. Rows are dropped and counted; serving continues."""


class MonitoringReason(StrEnum):
    """Reasons for the status Unknown of DriftDetected, QualityDropped and Capturing."""

    NO_PROFILE = "NoProfile"
    """The bundle has no profile.json."""
    PODS_UNREACHABLE = "PodsUnreachable"
    """The operator cannot read the counters of the pods."""
    NOT_SERVING = "NotServing"
    """No revision is stable yet, or the operator has not read its pods yet."""


class DriftSettings(ApiModel):
    """Thresholds for drift of the traffic from the profile."""

    warnPermille: Annotated[int, Field(ge=1, le=10000)] = 100
    """Least population stability index that is reported as a difference, in thousandths."""
    actPermille: Annotated[int, Field(ge=1, le=10000)] = 200
    """Least population stability index that is drift, in thousandths."""
    minSamples: Annotated[int, Field(ge=100, le=10_000_000)] = 500
    """Least number of predictions in a window. The window stays open until it has them."""
    consecutive: Annotated[int, Field(ge=1, le=100)] = 2
    """Number of windows in a row with drift until it is reported."""


class QualitySettings(ApiModel):
    """Thresholds for a drop of quality."""

    metric: MonitoredMetric = "f1"
    """Metric to compare with its value on held-out data."""
    sigmas: Annotated[int, Field(ge=1, le=10)] = 3
    """Drop that counts, in standard deviations of the metric."""
    minDropPermille: Annotated[int, Field(ge=0, le=1000)] = 20
    """Drop that counts, in thousandths; the larger limit applies."""
    minLabels: Annotated[int, Field(ge=30, le=10_000_000)] = 500
    """Least number of labels in a window. The window stays open until it has them."""
    consecutive: Annotated[int, Field(ge=1, le=100)] = 2
    """Number of windows in a row with a drop until it is reported."""


class Capture(ApiModel):
    """Storage of predictions and labels for retraining."""

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
    """URI of a folder, in a bucket with the credentials of spec.model.secretRef: s3://BUCKET/PATH,
    gs://BUCKET/PATH, az://CONTAINER/PATH or abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH; or
    on a volume: pvc://CLAIM/PATH. Parquet files are written below it, by kind, model, version and
    date."""
    samplePermille: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Share of the predictions to store, in thousandths, chosen by prediction id."""
    flushSeconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Longest time until a prediction is written, in seconds."""


class Monitoring(ApiModel):
    """Monitoring of the served model."""

    window: Duration = "1h"
    """Time between two judgements of the counters, such as 1h."""
    drift: Annotated[DriftSettings, Field(default_factory=DriftSettings)]
    """Thresholds for drift of the traffic from the profile."""
    quality: Annotated[QualitySettings, Field(default_factory=QualitySettings)]
    """Thresholds for a drop of quality."""
    capture: Capture | None = None
    """Storage of predictions and labels for retraining. If unset, they are not stored."""


class DriftedFeature(ApiModel):
    """Distance of one distribution from the profile."""

    name: Annotated[str, Field(max_length=256)]
    """Name of the feature; score or label for the answers of the model."""
    level: Literal["Stable", "Warn", "Act"]
    """Act means drift, Warn means a reported difference, Stable means no difference."""
    psiPermille: Annotated[int, Field(ge=0)]
    """Population stability index, in thousandths."""
    limitPermille: Annotated[int, Field(ge=0)]
    """Limit that chance alone exceeds in 1 % of windows of this size, in thousandths."""


class DriftState(ApiModel):
    """Last judged window of predictions."""

    windowEnd: Moment
    """Time when the window ended."""
    samples: Annotated[int, Field(ge=0)]
    """Number of predictions in the window."""
    features: Annotated[list[DriftedFeature], Field(max_length=10)]
    """Distributions with the largest distance from the profile."""
    inputStreak: Annotated[int, Field(ge=0)] = 0
    """Number of windows in a row in which a feature had drifted."""
    predictionStreak: Annotated[int, Field(ge=0)] = 0
    """Number of windows in a row in which the answers had drifted."""


class QualityState(ApiModel):
    """Last judged window of labels."""

    windowEnd: Moment
    """Time when the window ended."""
    labels: Annotated[int, Field(ge=0)]
    """Number of labels in the window."""
    metric: MonitoredMetric
    """Metric of the window."""
    valuePermille: Annotated[int, Field(ge=0, le=1000)]
    """Value of the metric in the window, in thousandths."""
    baselinePermille: Annotated[int, Field(ge=0, le=1000)]
    """Value of the metric on held-out data, in thousandths."""
    limitPermille: Annotated[int, Field(ge=-1000, le=1000)]
    """Limit below which the difference is more than chance, in thousandths."""
    streak: Annotated[int, Field(ge=0)] = 0
    """Number of windows in a row below the limit."""


class MonitoringStatus(ApiModel):
    """Results of monitoring the stable revision."""

    digest: Annotated[str, Field(max_length=71)]
    """Digest of the monitored model. Another model starts new results."""
    labels: Annotated[int, Field(ge=0)] = 0
    """Number of labels for this model in all judged windows."""
    drift: DriftState | None = None
    """Last judged window of predictions."""
    quality: QualityState | None = None
    """Last judged window of labels."""
