"""RetrainJob: one run that trains a challenger and lets it stand against the model that serves."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from .common import BUCKET_PATH, BUCKET_URIS, PARQUET_FILE, ApiModel, LocalReference, matches, rules
from .compression import Compression
from .duration import Duration
from .pod_settings import PodResources, PullSecrets, Scheduling
from .retrainjob_status import RetrainJobStatus
from .search import METRIC_FITS, OF_NUMBERS, Budget, Gate, Search, resolve_gate
from .training_backend import Backend
from .trigger import Trigger

KIND = "RetrainJob"
PLURAL = "retrainjobs"
SHORT_NAME = "rjob"

_TRAIN_JOB = "has(self.backend) && self.backend.type == 'TrainJob'"
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
            (
                f"!({_TRAIN_JOB}) || has(self.image) || "
                "(self.backend.nodes == 1 && !has(self.backend.command))",
                "backend: the search that is built in runs on one node and has its own command; "
                "add image: a trainer of your own, or leave out nodes and command",
            ),
            (
                f"!({_TRAIN_JOB}) || !has(self.queueName)",
                "queueName: only for backend.type: Job; leave it out",
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
    backend: Annotated[Backend, Field(default_factory=Backend)]
    """What runs the training step."""
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
    """Compute resources of the training, of each node; the other steps have the same, without
    GPUs."""
    scheduling: Annotated[Scheduling, Field(default_factory=Scheduling)]
    """Where the pods may run. A TrainJob's have the priorityClassName and runtimeClassName of their
    runtime."""
    activeDeadlineSeconds: Annotated[int, Field(ge=10, le=604_800)] = 3600
    """The run fails when it takes longer. Time in a queue does not count."""
    ttlSecondsAfterFinished: Annotated[int, Field(ge=0, le=2_592_000)] = 3600
    """How long the pod, with its logs, is kept afterwards."""

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        self.gate = resolve_gate(self.search, self.gate)
        return self


class RetrainJobSpec(RetrainTemplate):
    """What is to be trained, from what, and what it must show."""

    modelRef: LocalReference
    """The ModelDeployment, in the same namespace, whose model is the champion."""
    trigger: Annotated[Trigger, Field(default_factory=Trigger)]
    """Why there is this run."""


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
