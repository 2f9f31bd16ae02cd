"""Status of a RetrainJob: progress, conditions, results."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from ..stats.quality import MetricName
from .common import ApiModel, Condition, Moment, list_map
from .trigger import Trigger

ASSEMBLED, TRAINED, JUDGED = "Assembled", "Trained", "Judged"
"""Conditions of the steps: Unknown until the step ends, then True if it succeeded, False if it
failed. Later steps stay Unknown."""
SUCCEEDED = "Succeeded"
"""Condition of the run: Unknown while it runs, True if it reached a decision, else False."""


class RunReason(StrEnum):
    """Reasons, besides those of PodFailure, LoadFailure and TrainingFailure."""

    WAITING_FOR_MODEL = "WaitingForModel"
    """The ModelDeployment does not exist, or serves no model yet."""
    QUEUED = "Queued"
    """The Job is suspended until the queue of spec.queueName admits it."""
    STARTING = "Starting"
    """The pod is starting."""
    ASSEMBLING = "Assembling"
    TRAINING = "Training"
    JUDGING = "Judging"
    ACCEPTED = "Accepted"
    """The challenger passed the gate."""
    REJECTED = "Rejected"
    """The challenger did not pass the gate. The champion remains."""
    COMPLETED = "Completed"
    """The step succeeded."""
    NOT_REACHED = "NotReached"
    """An earlier step has not ended, or has failed."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """The run took longer than activeDeadlineSeconds."""
    NO_RESULT = "NoResult"
    """The pod vanished before it reported a result."""
    APPLY_REFUSED = "ApplyRefused"
    """The API server rejected an object of the run."""
    TRAINER_NOT_INSTALLED = "TrainerNotInstalled"
    """The cluster has no TrainJobs of Kubeflow Trainer. The run starts when it has."""
    TRAIN_JOB_FAILED = "TrainJobFailed"
    """The TrainJob failed, and none of its pods reports the cause."""
    NAME_TAKEN = "NameTaken"
    """An object with the Job's name exists and is not owned by this resource."""
    NOTHING_TO_LEARN_FROM = "NothingToLearnFrom"
    """There is neither data.baseline nor captured traffic."""


class ModelReference(ApiModel):
    """Location and digest of a model."""

    uri: Annotated[str, Field(max_length=1024)]
    """URI of the model."""
    digest: Annotated[str, Field(max_length=71)]
    """Digest of the model."""


class Challenger(ModelReference):
    """Model that the run trained."""

    candidate: Annotated[str, Field(max_length=256)] = ""
    """Kind of model that won the search."""
    sizeBytes: Annotated[int | None, Field(ge=0)] = None
    """Size of the ONNX file, in bytes."""
    p95Microseconds: Annotated[int | None, Field(ge=0)] = None
    """95th percentile of the time for one row, in microseconds, with one thread."""


class Metric(ApiModel):
    """Score of the challenger on the latest held-out rows."""

    name: MetricName
    """Name of the metric."""
    value: Annotated[str, Field(max_length=32)]
    """Value, as a decimal number such as 0.8731."""


class Comparison(ApiModel):
    """Comparison on the same rows."""

    metric: MetricName
    """Metric of the comparison."""
    on: Literal["Recent", "Reference"]
    """Recent means captured held-out rows, Reference means the baseline's."""
    rows: Annotated[int, Field(ge=0)]
    """Number of rows."""
    championPermille: int
    """Champion's value, in thousandths."""
    challengerPermille: int
    """Challenger's value, in thousandths."""
    lowPermille: int
    """Lower bound of the gain (95 %), in thousandths."""
    highPermille: int
    """Upper bound of the gain (95 %), in thousandths."""


class BestSoFar(ApiModel):
    """Best model so far."""

    kind: Annotated[str, Field(max_length=256)]
    """Kind of the model."""
    metric: MetricName
    """Metric of the search."""
    value: Annotated[str, Field(max_length=32)]
    """Value of the metric, as a decimal number."""


class TrainingProgress(ApiModel):
    """Progress of the training, as the trainer last reported it."""

    phase: Annotated[str, Field(max_length=64)]
    """Current phase, such as Training."""
    trialsDone: Annotated[int, Field(ge=0)] = 0
    """Number of finished trials."""
    trialsTotal: Annotated[int, Field(ge=0)] = 0
    """Largest number of trials."""
    best: BestSoFar | None = None
    """Best model so far."""


class DataSummary(ApiModel):
    """Summary of the rows of a run."""

    digest: Annotated[str, Field(max_length=71)]
    """Digest of the rows."""
    rows: Annotated[int, Field(ge=0)]
    """Number of training rows."""
    captured: Annotated[int, Field(ge=0)] = 0
    """Number of captured rows with a label."""
    leftOut: Annotated[int, Field(ge=0)] = 0
    """Number of captured rows left out because of their label."""
    start: Moment | None = None
    """Time of the first captured row."""
    end: Moment | None = None
    """Time of the last captured row."""
    learntUntil: Moment | None = None
    """Time of the last captured training row."""
    fresh: Annotated[int | None, Field(ge=0)] = None
    """Number of training rows that are new to the champion."""


Comparisons = Annotated[list[Comparison], Field(default_factory=list, max_length=20)]


class Lineage(ApiModel):
    """Origin of a model that a RetrainJob trained."""

    retrainJob: Annotated[str, Field(max_length=253)]
    """Name of the RetrainJob."""
    trigger: Trigger
    """Reason for the run."""
    data: DataSummary | None = None
    """Rows of the run."""
    comparisons: Comparisons
    """Comparisons with the champion."""


class RetrainJobStatus(ApiModel):
    """Observed state of a run."""

    observedGeneration: Annotated[int, Field(ge=0)] = 0
    """metadata.generation that this status was computed for."""
    conditions: Annotated[
        list[Condition],
        Field(default_factory=list, max_length=8, json_schema_extra=list_map("type")),
    ]
    """Conditions of the run: Assembled, Trained, Judged and Succeeded."""
    progress: TrainingProgress | None = None
    """Progress of the training; the last one after its end. Unset if the trainer reports none."""
    champion: ModelReference | None = None
    """Model that was served when the run started."""
    startTime: Moment | None = None
    """Time when the run started."""
    completionTime: Moment | None = None
    """Time when the run ended."""
    decision: Literal["Accepted", "Rejected"] | None = None
    """Decision of the gate."""
    message: Annotated[str, Field(max_length=4096)] = ""
    """Explanation of the decision or failure, with the numbers."""
    challenger: Challenger | None = None
    """Model that the run trained. It is published only if it was accepted."""
    data: DataSummary | None = None
    """Rows of the run."""
    metrics: Annotated[
        list[Metric], Field(default_factory=list, max_length=20, json_schema_extra=list_map("name"))
    ]
    """Scores of the challenger on the latest held-out rows."""
    comparisons: Comparisons
    """Comparisons of champion and challenger on the same rows."""
    report: Annotated[str | None, Field(max_length=1024)] = None
    """URI of report.html."""
