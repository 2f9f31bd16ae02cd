"""RetrainJob: a run that trains a challenger for the served model."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from .common import BUCKET_PATH, BUCKET_URIS, PARQUET_FILE, ApiModel, LocalReference, matches, rules
from .compression import Compression
from .duration import Duration
from .pod_settings import PodResources, PullSecrets, Scheduling
from .retrainjob_status import RetrainJobStatus
from .search import METRIC_EXPECTED, METRIC_FITS, Budget, Gate, Search, resolve_gate
from .training_backend import TrainingBackend
from .trigger import Trigger

KIND = "RetrainJob"
PLURAL = "retrainjobs"
SHORT_NAME = "rjob"

_TRAIN_JOB = "has(self.backend) && self.backend.type == 'TrainJob'"
_QUEUE = "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')"


class TrainingData(ApiModel):
    """Rows that the challenger learns from."""

    label: Annotated[str, Field(min_length=1, max_length=256)]
    """Column of the baseline that contains the label. Labels of captured rows are from feedback."""
    positive: Annotated[str | None, Field(max_length=256)] = None
    """Positive label, if there are two, for recall, precision, F1 and ROC AUC. Defaults to the last
    one in sorted order."""
    baseline: Annotated[
        str | None,
        Field(
            max_length=1024,
            json_schema_extra=PARQUET_FILE,
        ),
    ] = None
    """URI of a Parquet file with reference rows in the order of time, such as
    s3://BUCKET/PATH.parquet: a column for each feature, and the label. Training uses a part of
    them."""
    window: Duration = "30d"
    """Age limit of captured rows, such as 30d."""
    maxRows: Annotated[int, Field(ge=100, le=100_000_000)] = 1_000_000
    """Largest number of captured rows; the latest are used."""
    minRows: Annotated[int, Field(ge=50, le=100_000_000)] = 500
    """Least number of captured rows with a label. With fewer, the run fails."""
    replayPermille: Annotated[int, Field(ge=0, le=900)] = 300
    """Share of the training rows that is drawn from the baseline, in thousandths."""
    holdoutPermille: Annotated[int, Field(ge=50, le=500)] = 200
    """Share of the captured rows that is held out, the latest ones, in thousandths."""


class Output(ApiModel):
    """Location for bundles and reports."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules((matches(*BUCKET_URIS), f"expected {BUCKET_PATH}")),
        ),
    ]
    """URI of a folder in a bucket, such as s3://BUCKET/PATH. Each bundle is stored in a subfolder
    named by its digest. Files are never overwritten."""


class RetrainTemplate(ApiModel):
    """Spec of a RetrainJob without modelRef and trigger."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.gate) || !has(self.gate.metric) || "
                + METRIC_FITS.format(
                    numbers="(has(self.search) && self.search.task == 'Regression')",
                    metric="self.gate.metric",
                ),
                f"{{path}}.gate.metric: {METRIC_EXPECTED}. Change one of them",
            ),
            (
                "!has(self.compression) || !has(self.compression.gate) || "
                "!has(self.compression.gate.metric) || "
                + METRIC_FITS.format(
                    numbers="(has(self.search) && self.search.task == 'Regression')",
                    metric="self.compression.gate.metric",
                ),
                f"{{path}}.compression.gate.metric: {METRIC_EXPECTED}. Change one of them",
            ),
            (
                f"!({_TRAIN_JOB}) || has(self.image) || "
                "(self.backend.nodes == 1 && !has(self.backend.command))",
                "{path}.image: required with backend.nodes above 1 or backend.command. Set the "
                "image of your own trainer, or remove them",
            ),
            (
                f"!({_TRAIN_JOB}) || !has(self.queueName)",
                "{path}.queueName: not supported with {path}.backend.type: TrainJob. "
                "Remove one of them",
            ),
        )
    )

    data: TrainingData
    """Rows that the challenger learns from."""
    search: Annotated[Search, Field(default_factory=Search)]
    """Search for the challenger."""
    gate: Annotated[Gate, Field(default_factory=Gate)]
    """Rule that accepts or rejects the challenger."""
    budget: Annotated[Budget, Field(default_factory=Budget)]
    """Limits of the challenger's time and size."""
    output: Output
    """Location for bundles and reports."""
    compression: Annotated[
        Compression | None,
        Field(
            json_schema_extra=rules(
                (
                    "!has(self.gate) || !has(self.gate.data)",
                    "{path}.gate.data: not allowed, because a RetrainJob measures on its held-out "
                    "rows. Remove it",
                )
            )
        ),
    ] = None
    """Compression of the challenger before it is judged. If unset, it is not compressed."""
    backend: Annotated[TrainingBackend, Field(default_factory=TrainingBackend)]
    """Backend of the training step."""
    queueName: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=63,
            json_schema_extra=rules((_QUEUE, "expected the name of a LocalQueue, such as team-a")),
        ),
    ] = None
    """Name of a LocalQueue of Kueue in this namespace. The run starts when the queue admits it. If
    unset, it starts at once."""
    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Image of your own trainer, which runs instead of the search. It reads /perennial/input and
    writes model.onnx or model.skops to /perennial/output."""
    imagePullSecrets: PullSecrets = None
    """Secrets for pulling the image."""
    secretRef: LocalReference | None = None
    """Secret with the credentials of the store, as in a ModelDeployment. Defaults to the secretRef
    of the ModelDeployment. It must allow writing below output.uri."""
    resources: PodResources
    """Compute resources of the training, for each node. The other steps have the same resources
    without GPUs."""
    scheduling: Annotated[Scheduling, Field(default_factory=Scheduling)]
    """Constraints for the nodes of the pods. The pods of a TrainJob have the priorityClassName and
    runtimeClassName of its runtime."""
    activeDeadlineSeconds: Annotated[int, Field(ge=10, le=604_800)] = 3600
    """Seconds after which the run fails. Time in a queue does not count."""
    ttlSecondsAfterFinished: Annotated[int, Field(ge=0, le=2_592_000)] = 3600
    """Seconds after the end of the run until its pods and logs are deleted."""

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        self.gate = resolve_gate(self.search, self.gate)
        return self


class RetrainJobSpec(RetrainTemplate):
    """Spec of a run."""

    modelRef: LocalReference
    """ModelDeployment in the same namespace, whose model is the champion."""
    trigger: Annotated[Trigger, Field(default_factory=Trigger)]
    """Reason for the run. The operator sets it in automatic runs."""


class RetrainJob(ApiModel):
    """RetrainJob is one run that trains a challenger for a ModelDeployment.

    It assembles rows, trains the challenger, and judges it against the champion. An accepted
    challenger is published, and rolled out according to the policy of the ModelDeployment.
    """

    spec: Annotated[
        RetrainJobSpec,
        Field(
            json_schema_extra=rules(
                ("self == oldSelf", "{path} is immutable. Create another RetrainJob")
            )
        ),
    ]
    """Spec of the run. It is immutable."""
    status: Annotated[RetrainJobStatus, Field(default_factory=RetrainJobStatus)]
    """Observed state of the run, written by the operator."""
