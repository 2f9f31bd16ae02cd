"""How far a RetrainJob is, and what came of it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from ..stats.quality import MetricName
from .common import ApiModel, Condition, Moment, list_map
from .trigger import Trigger

ASSEMBLED, TRAINED, JUDGED = "Assembled", "Trained", "Judged"
"""Conditions of the steps: Unknown until the step has ended, then True; False for the one that
failed. Steps after that one stay Unknown."""
SUCCEEDED = "Succeeded"
"""The condition of the whole: Unknown while it runs, True when it came to a decision."""


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
    TRAINER_NOT_INSTALLED = "TrainerNotInstalled"
    """The cluster does not have the TrainJobs of Kubeflow Trainer; the run begins when it does."""
    TRAIN_JOB_FAILED = "TrainJobFailed"
    """The TrainJob failed, and none of its pods says why."""
    NAME_TAKEN = "NameTaken"
    """An object that somebody else made stands where the Job must stand."""
    NOTHING_TO_LEARN_FROM = "NothingToLearnFrom"
    """There is neither data.baseline nor captured traffic."""


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
