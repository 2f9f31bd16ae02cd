"""RetrainJob: one run that trains a challenger and lets it stand against the model that serves."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from .api import (
    BUCKET_PATH,
    BUCKET_URIS,
    PARQUET_FILE,
    ApiModel,
    Condition,
    LocalReference,
    Moment,
    list_map,
    matches,
    rules,
)
from .compression import Compression
from .duration import Duration
from .podsettings import PodResources, PullSecrets, Scheduling
from .quality import MetricName
from .searching import METRIC_FITS, OF_NUMBERS, Budget, Gate, Search, resolve_gate

KIND = "RetrainJob"
PLURAL = "retrainjobs"
SHORT_NAME = "rjob"

ASSEMBLED, TRAINED, JUDGED = "Assembled", "Trained", "Judged"
"""Conditions of the steps: Unknown until the step has ended, then True; False for the one that
failed. Steps after that one stay Unknown."""
SUCCEEDED = "Succeeded"
"""The condition of the whole: Unknown while it runs, True when it came to a decision."""

TriggerType = Literal["Drift", "QualityDrop", "Schedule", "Manual"]


class RunReason(StrEnum):
    """Reasons of the conditions, beside those of PodFailure, LoadFailure and TrainingFailure."""

    WAITING_FOR_MODEL = "WaitingForModel"
    """The ModelDeployment does not exist, or serves nothing yet."""
    QUEUED = "Queued"
    """The Job is suspended until spec.queueName has room for it."""
    STARTING = "Starting"
    """The pod is being made."""
    ASSEMBLING = "Assembling"
    TRAINING = "Training"
    JUDGING = "Judging"
    ACCEPTED = "Accepted"
    """The challenger passed the gate."""
    REJECTED = "Rejected"
    """The challenger did not pass the gate; the champion stays."""
    COMPLETED = "Completed"
    """The step has ended well."""
    NOT_REACHED = "NotReached"
    """An earlier step has not ended, or has failed."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """It took longer than activeDeadlineSeconds."""
    NO_RESULT = "NoResult"
    """The pod vanished before it said what came of it."""
    APPLY_REFUSED = "ApplyRefused"
    """The API server refused the Job."""
    NAME_TAKEN = "NameTaken"
    """An object that somebody else made stands where the Job must stand."""
    NOTHING_TO_LEARN_FROM = "NothingToLearnFrom"
    """There is neither data.baseline nor captured traffic."""


# --- spec ---

_QUEUE = "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')"


class TrainingData(ApiModel):
    """What the challenger learns from."""

    label: Annotated[str, Field(min_length=1, max_length=256)]
    """Column of the baseline that holds the truth. Captured rows get theirs from feedback."""
    positive: Annotated[str | None, Field(max_length=256)] = None
    """Of two labels, the one that recall, precision, F1 and ROC AUC are about; the last one in
    sorting order where absent."""
    baseline: Annotated[
        str | None,
        Field(
            max_length=1024,
            json_schema_extra=PARQUET_FILE,
        ),
    ] = None
    """A Parquet file (s3://BUCKET/PATH.parquet; gs://, az://, abfss://, http(s):// and hf:// too)
    with a column for each feature and the label, in the order of time. Part of it is replayed
    beside what was captured."""
    window: Duration = "30d"
    """How far back captured rows are used."""
    maxRows: Annotated[int, Field(ge=100, le=100_000_000)] = 1_000_000
    """Most captured rows that are used, the latest ones."""
    minRows: Annotated[int, Field(ge=50, le=100_000_000)] = 500
    """Captured rows with a label that are needed."""
    replayPermille: Annotated[int, Field(ge=0, le=900)] = 300
    """Share of the training rows that comes from the baseline, in thousandths."""
    holdoutPermille: Annotated[int, Field(ge=50, le=500)] = 200
    """Share of the captured rows, the latest ones, that the models are judged on."""


class Output(ApiModel):
    """Where what was made is kept."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules((matches(*BUCKET_URIS), f"expected {BUCKET_PATH}")),
        ),
    ]
    """A folder in a bucket: s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH or
    abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH. Each bundle gets a folder in it, named by
    its digest, and nothing is overwritten."""


class RetrainTemplate(ApiModel):
    """All of a run but which model it is for."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.gate) || !has(self.gate.metric) || "
                + METRIC_FITS.format(
                    numbers="(has(self.search) && self.search.task == 'Regression')",
                    metric="self.gate.metric",
                ),
                f"gate.metric: for search.task: Regression expected {OF_NUMBERS}",
            ),
            (
                "!has(self.compression) || !has(self.compression.gate) || "
                "!has(self.compression.gate.metric) || "
                + METRIC_FITS.format(
                    numbers="(has(self.search) && self.search.task == 'Regression')",
                    metric="self.compression.gate.metric",
                ),
                f"compression.gate.metric: for search.task: Regression expected {OF_NUMBERS}",
            ),
        )
    )

    data: TrainingData
    """What the challenger learns from."""
    search: Annotated[Search, Field(default_factory=Search)]
    """How the challenger is found."""
    gate: Annotated[Gate, Field(default_factory=Gate)]
    """What the challenger must show."""
    budget: Annotated[Budget, Field(default_factory=Budget)]
    """How quick and how small the challenger must be."""
    output: Output
    """Where what was made is kept."""
    compression: Annotated[
        Compression | None,
        Field(
            json_schema_extra=rules(
                (
                    "!has(self.gate) || !has(self.gate.data)",
                    "compression.gate.data: leave it out; a run measures on its held-out rows",
                )
            )
        ),
    ] = None
    """How the challenger is made smaller or faster before it is judged; it stays as it is where
    absent."""
    queueName: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=63,
            json_schema_extra=rules((_QUEUE, "expected the name of a LocalQueue, such as team-a")),
        ),
    ] = None
    """A LocalQueue of Kueue in this namespace: the run begins when the queue has room for it."""
    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """A trainer of your own, run in place of the search: it finds /perennial/input and leaves
    /perennial/output/model.onnx or model.skops."""
    imagePullSecrets: PullSecrets = None
    """Secrets for pulling the image."""
    secretRef: LocalReference | None = None
    """Secret with the store's credentials, as in spec.model of a ModelDeployment; that one where
    absent. It must allow to write below output.uri."""
    resources: PodResources
    """Compute resources of the training; the other steps have the same, without GPUs."""
    scheduling: Annotated[Scheduling, Field(default_factory=Scheduling)]
    """Where the pod may run."""
    activeDeadlineSeconds: Annotated[int, Field(ge=10, le=604_800)] = 3600
    """The run fails when it takes longer. Time in a queue does not count."""
    ttlSecondsAfterFinished: Annotated[int, Field(ge=0, le=2_592_000)] = 3600
    """How long the pod, with its logs, is kept afterwards."""

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        self.gate = resolve_gate(self.search, self.gate)
        return self


class Trigger(ApiModel):
    """Why there is this run."""

    type: TriggerType = "Manual"
    """What started it."""
    fingerprint: Annotated[str, Field(max_length=64)] = ""
    """Hash of the evidence, by which the same evidence is known again."""
    message: Annotated[str, Field(max_length=2048)] = ""
    """The evidence, for people."""


class RetrainJobSpec(RetrainTemplate):
    """What is to be trained, from what, and what it must show."""

    modelRef: LocalReference
    """The ModelDeployment, in the same namespace, whose model is the champion."""
    trigger: Annotated[Trigger, Field(default_factory=Trigger)]
    """Why there is this run."""


# --- status ---


class ModelReference(ApiModel):
    """A model by place and bytes."""

    uri: Annotated[str, Field(max_length=1024)]
    """Where it lies."""
    digest: Annotated[str, Field(max_length=71)]
    """Its digest."""


class Challenger(ModelReference):
    """The model that was trained."""

    candidate: Annotated[str, Field(max_length=256)] = ""
    """Which of the kinds of model won the search."""
    sizeBytes: Annotated[int | None, Field(ge=0)] = None
    """Of its ONNX file."""
    p95Microseconds: Annotated[int | None, Field(ge=0)] = None
    """A row took at most this in 95 of 100 cases, with one thread, where it was judged."""


class Metric(ApiModel):
    """A score of the challenger on the latest held-out rows."""

    name: MetricName
    """What was measured."""
    value: Annotated[str, Field(max_length=32)]
    """Its value, as a decimal number such as 0.8731."""


class Comparison(ApiModel):
    """Champion and challenger on the same rows."""

    metric: MetricName
    """What was measured."""
    on: Literal["Recent", "Reference"]
    """Recent: the captured holdout. Reference: the baseline's."""
    rows: Annotated[int, Field(ge=0)]
    """Rows that both were measured on."""
    championPermille: int
    """The champion's value, in thousandths."""
    challengerPermille: int
    """The challenger's value, in thousandths."""
    lowPermille: int
    """Lower bound of the gain, 95 %, in thousandths."""
    highPermille: int
    """Upper bound of the gain, 95 %, in thousandths."""


class BestSoFar(ApiModel):
    """The best model that was tried up to now."""

    kind: Annotated[str, Field(max_length=256)]
    """Which kind of model it is."""
    metric: MetricName
    """What the kinds are compared by."""
    value: Annotated[str, Field(max_length=32)]
    """Its value, a decimal number."""


class TrainingProgress(ApiModel):
    """How far the training is, as the trainer said when it was last asked."""

    phase: Annotated[str, Field(max_length=64)]
    """What it is at."""
    trialsDone: Annotated[int, Field(ge=0)] = 0
    """Models that were tried."""
    trialsTotal: Annotated[int, Field(ge=0)] = 0
    """Models that are to be tried at most."""
    best: BestSoFar | None = None
    """The best of them."""


class DataSummary(ApiModel):
    """What was learnt from."""

    digest: Annotated[str, Field(max_length=71)]
    """Digest of the rows, training and holdout."""
    rows: Annotated[int, Field(ge=0)]
    """Rows that the search saw."""
    captured: Annotated[int, Field(ge=0)] = 0
    """Captured rows with a label, the holdout among them."""
    leftOut: Annotated[int, Field(ge=0)] = 0
    """Captured rows that were left out for their label: none of the classes, or no number where
    numbers are learnt."""
    start: Moment | None = None
    """Time of the first captured row."""
    end: Moment | None = None
    """Time of the last captured row."""
    learntUntil: Moment | None = None
    """Time of the last captured row that was learnt from."""
    fresh: Annotated[int | None, Field(ge=0)] = None
    """Rows to learn from, the latest ones, that the champion has not learnt from. Absent where its
    bundle does not say."""


Comparisons = Annotated[list[Comparison], Field(default_factory=list, max_length=20)]


class Lineage(ApiModel):
    """Where a model that was trained here comes from."""

    retrainJob: Annotated[str, Field(max_length=253)]
    """The run that made it."""
    trigger: Trigger
    """Why there was the run."""
    data: DataSummary | None = None
    """What it learnt from."""
    comparisons: Comparisons
    """What it showed against the model before."""


class RetrainJobStatus(ApiModel):
    """How far the run is, and what came of it."""

    observedGeneration: Annotated[int, Field(ge=0)] = 0
    """The metadata.generation that this status was computed for."""
    conditions: Annotated[
        list[Condition],
        Field(default_factory=list, max_length=8, json_schema_extra=list_map("type")),
    ]
    """Assembled, Trained, Judged, Succeeded."""
    progress: TrainingProgress | None = None
    """How far the training is, or was when it ended. Empty where the trainer does not tell."""
    champion: ModelReference | None = None
    """The model that served when the run began."""
    startTime: Moment | None = None
    """When the Job was made."""
    completionTime: Moment | None = None
    """When it ended."""
    decision: Literal["Accepted", "Rejected"] | None = None
    """What the gate said."""
    message: Annotated[str, Field(max_length=4096)] = ""
    """Why, with the numbers."""
    challenger: Challenger | None = None
    """The model that was trained. It is published only where it was accepted."""
    data: DataSummary | None = None
    """What it learnt from."""
    metrics: Annotated[
        list[Metric], Field(default_factory=list, max_length=20, json_schema_extra=list_map("name"))
    ]
    """How good the challenger is."""
    comparisons: Comparisons
    """Champion and challenger on the same rows."""
    report: Annotated[str | None, Field(max_length=1024)] = None
    """Where report.html lies."""


class RetrainJob(ApiModel):
    """One run: rows are assembled, a challenger is trained and judged against the champion.

    What the gate accepts is published, and the ModelDeployment rolls it out as its policy says.
    """

    spec: Annotated[
        RetrainJobSpec,
        Field(
            json_schema_extra=rules(
                ("self == oldSelf", "a run cannot be changed; make another RetrainJob")
            )
        ),
    ]
    """What is to be trained, from what, and what it must show."""
    status: Annotated[RetrainJobStatus, Field(default_factory=RetrainJobStatus)]
    """How far the run is, and what came of it."""
