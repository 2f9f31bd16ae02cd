"""ModelDeployment: a trained model that is to be served."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .api import (
    BUCKET_URIS,
    GROUP,
    ApiModel,
    Condition,
    Digest,
    LocalReference,
    Moment,
    list_map,
    matches,
    rules,
)
from .compression import Compression
from .formats import Format, Variant
from .monitoring import Monitoring, MonitoringStatus
from .packaging import ModelFormat, Packaging
from .podsettings import PodResources, PullSecrets, Scheduling
from .retraining import Retraining, RetrainingStatus
from .runstatus import Lineage

KIND = "ModelDeployment"
PLURAL = "modeldeployments"
SHORT_NAME = "mdep"

ROLLBACK_ANNOTATION = f"{GROUP}/rollback"
"""Each new value (a revision of status.previous, or anything for the last) rolls back once."""


class ConditionType(StrEnum):
    """The aspects that ``status.conditions`` tells about."""

    READY = "Ready"
    """Whether the model answers requests."""
    PROGRESSING = "Progressing"
    """Whether the cluster still moves towards the spec. False with a reason of failure: stuck."""
    MODEL_RESOLVED = "ModelResolved"
    """Whether the bytes that are to be served were found, and which they are."""
    DRIFT_DETECTED = "DriftDetected"
    """Whether inputs or answers differ from the profile, beyond chance and enough to matter."""
    QUALITY_DROPPED = "QualityDropped"
    """Whether the labels that came back show a worse model than the one that was evaluated."""
    CAPTURING = "Capturing"
    """Whether predictions and labels are kept for retraining."""
    RETRAINING = "Retraining"
    """Whether a RetrainJob runs; if none does, why not, and when that is looked at again."""


class ReadyReason(StrEnum):
    """Reasons of the condition Ready."""

    SERVING = "Serving"
    """Every wanted replica answers."""
    FEWER_REPLICAS = "FewerReplicas"
    """The model answers, from fewer replicas than wanted."""
    NO_REPLICAS = "NoReplicas"
    """No replica answers yet, or any more."""
    SCALED_TO_ZERO = "ScaledToZero"
    """No replica is wanted."""


class ProgressingReason(StrEnum):
    """Reasons of the condition Progressing, beside those of :class:`PodFailure` and LoadFailure."""

    COMPLETE = "Complete"
    """The spec is what is being served."""
    RESOLVING_MODEL = "ResolvingModel"
    """The model's bytes are being looked up and checked."""
    STARTING_CANDIDATE = "StartingCandidate"
    """A new revision starts; the stable one goes on serving until it is ready."""
    PACKAGING_MODEL = "PackagingModel"
    """A bundle is being made of the artifact."""
    RETIRING = "Retiring"
    """The new revision serves; the pods of the old one are being drained."""
    SCALING = "Scaling"
    """Replicas are being added or removed."""
    APPLY_REFUSED = "ApplyRefused"
    """The API server refused an object that the spec leads to."""
    NAME_TAKEN = "NameTaken"
    """An object that somebody else made stands where a child must stand."""


class ResolvedReason(StrEnum):
    """Reasons of the condition ModelResolved, beside those of LoadFailure and TrainingFailure."""

    PINNED = "Pinned"
    """The spec says the digest."""
    RESOLVED = "Resolved"
    """The digest was found at the URI, and the model loads."""
    RESOLVING = "Resolving"
    """The model is being looked up."""
    PACKAGED = "Packaged"
    """A bundle was made of the artifact; it is what is served."""
    PACKAGING = "Packaging"
    """A bundle is being made of the artifact."""
    CONVERTER_NOT_INSTALLED = "ConverterNotInstalled"
    """The operator was given no image that converts this format."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """Packaging took longer than spec.packaging.activeDeadlineSeconds."""
    PROMOTED = "Promoted"
    """A RetrainJob's challenger is served in place of spec.model, until that changes."""
    ROLLED_BACK = "RolledBack"
    """A model of before is served again, until spec.model changes or another one is promoted."""


class PodFailure(StrEnum):
    """Why a pod does not serve, where the model is not to blame."""

    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONTAINER_CONFIG_ERROR = "ContainerConfigError"
    OUT_OF_MEMORY = "OutOfMemory"
    RUNTIME_CRASHED = "RuntimeCrashed"
    PODS_REFUSED = "PodsRefused"
    """The API server refuses the pods: a quota, a policy."""


# --- spec ---

MODEL_URIS = (
    *BUCKET_URIS,
    "https?://[^/]+/.+",
    "hf://[^/@]+/[^/@]+(@[^/]+)?/.*",
    "pvc://[^/]+/.+",
    # The tag or the digest tells where the image ends and the path begins.
    "oci://[^/@]+/[a-z0-9._/-]*[a-z0-9](:[A-Za-z0-9_.-]+(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})/.*",
)
"""Patterns, in RE2's syntax, of where a model may lie."""


class ModelSource(ApiModel):
    """Where the trained model lies."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules(
                (
                    matches(*MODEL_URIS),
                    "expected s3://BUCKET/PATH, http(s)://HOST/PATH, gs://BUCKET/PATH, "
                    "az://CONTAINER/PATH, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, "
                    "hf://ORGANISATION/REPOSITORY[@REVISION]/PATH, pvc://CLAIM/PATH or "
                    "oci://REGISTRY/REPOSITORY:TAG/PATH",
                )
            ),
        ),
    ]
    """A bundle (a directory with bundle.json), a directory with model.onnx, an .onnx file, or what
    a framework saved (see spec.packaging), in a store: s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH,
    abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, hf://ORGANISATION/REPOSITORY[@REVISION]/PATH;
    at a web server: http(s)://HOST/PATH; on a volume: pvc://CLAIM/PATH; or in an image:
    oci://REGISTRY/REPOSITORY:TAG/PATH. A directory ends in a slash."""
    digest: Digest | None = None
    """Pins the bytes: the digest of bundle.json, or of the file; for what a framework saved in a
    directory the digest of the lines that sha256sum prints for all its files, in order of path.
    Without it the digest that is found first is recorded in the status and held to."""
    format: ModelFormat = "Auto"
    """What the artifact is. Auto finds out by its contents. All but Onnx is made into a bundle
    first, which spec.packaging says how to do."""
    secretRef: LocalReference | None = None
    """Secret with the store's credentials as environment variables: AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL; GOOGLE_SERVICE_ACCOUNT_KEY;
    AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY; HF_TOKEN. The operator never reads
    it."""


class Batching(ApiModel):
    """How requests that are there at the same time are run together. A model is only batched
    where it says the same of rows together, and sooner; the runtime tries that out."""

    maxSize: Annotated[int, Field(ge=1, le=4096)] = 32
    """Rows that are run together at most; 1 runs each request by itself."""
    maxDelayMicroseconds: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """How long a batch waits for requests that are on their way. A lone request never waits."""


class Serving(ApiModel):
    """How the model is served."""

    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Runtime image. Without it the operator's own choice at the time of the last change of the
    spec: an upgrade of the operator does not restart models."""
    imagePullSecrets: PullSecrets = None
    """Secrets for pulling the image."""
    resources: PodResources
    """Compute resources of each replica."""
    accelerator: Literal["Auto", "Cpu", "Cuda", "TensorRT", "OpenVino"] = "Auto"
    """What runs the model; Auto: the GPU that the resources ask for, else the CPU. The image's
    ONNX Runtime must have it; where it has not, the CPU runs the model, and metadata, metrics and
    log say so."""
    batching: Batching | None = None
    """How requests are run together; the runtime's defaults where absent."""
    scheduling: Annotated[Scheduling, Field(default_factory=Scheduling)]
    """Where the pods may run."""


class ModelDeploymentSpec(ApiModel):
    """What is to be served, and how."""

    model: ModelSource
    """The trained model."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Number of pods. Leave it out where an autoscaler owns it."""
    serving: Annotated[Serving, Field(default_factory=Serving)]
    """How the model is served."""
    packaging: Packaging | None = None
    """How a bundle is made of what a framework saved; a bundle or an ONNX model needs none."""
    compression: Annotated[
        Compression | None,
        Field(
            json_schema_extra=rules(
                (
                    "has(self.gate) && has(self.gate.data)",
                    "gate.data: expected rows to measure on, which the model has not learnt from: "
                    "add gate.data: s3://BUCKET/PATH.parquet, with a column for each input and, "
                    "named by gate.label, the truth",
                )
            )
        ),
    ] = None
    """How the model is made smaller or faster before it is served; not at all where absent."""
    monitoring: Monitoring | None = None
    """How the served model is watched; not at all where absent."""
    retraining: Retraining | None = None
    """When and how the model is trained anew; only by hand where absent."""


# --- status ---


class Revision(ApiModel):
    """One model served in one way. It has a Deployment of its own."""

    name: Annotated[str, Field(max_length=63)]
    """Hash of all that makes the revision: model digest, serving settings, runtime image."""
    uri: Annotated[str, Field(max_length=1024)]
    """Where its model was found."""
    digest: Annotated[str, Field(max_length=71)]
    """Digest of its model."""
    image: Annotated[str, Field(max_length=512)]
    """Its runtime image."""
    since: Moment
    """When it took this place: as the stable revision, or as the candidate."""
    lineage: Lineage | None = None
    """The RetrainJob that made its model; absent for a model of the spec."""


class Promotion(ApiModel):
    """A model that is served in place of spec.model."""

    uri: Annotated[str, Field(max_length=1024)]
    """Where it lies."""
    digest: Annotated[str, Field(max_length=71)]
    """Its digest."""
    reason: Literal["Promoted", "RolledBack"]
    """How it came here."""
    source: Annotated[str, Field(max_length=64)]
    """Hash of the spec.model that it stands for; another spec.model supersedes it."""
    lineage: Lineage | None = None
    """The RetrainJob that made it; absent for a model of the spec."""


class Resolution(ApiModel):
    """What a lookup of an unpinned model found, or what was made of an artifact."""

    source: Annotated[str, Field(max_length=64)]
    """Hash of the spec's fields that led here; where they change it is looked up or made anew."""
    digest: Annotated[str, Field(max_length=71)]
    """Digest that was found, or the bundle's."""
    uri: Annotated[str | None, Field(max_length=1024)] = None
    """Where the bundle lies that was made; absent where spec.model.uri itself is served."""
    artifact: Annotated[str | None, Field(max_length=71)] = None
    """Digest of the artifact that the bundle was made of."""
    format: ModelFormat | None = None
    """What the artifact was."""
    report: Annotated[str | None, Field(max_length=1024)] = None
    """Where report.html lies."""


class Detection(ApiModel):
    """What a lookup found that is no bundle and no ONNX model, but can be made into a bundle."""

    source: Annotated[str, Field(max_length=64)]
    """Hash of the spec's model fields that were looked up."""
    format: Format
    """What the artifact is."""
    variant: Variant
    """Which of the trainer's images converts it."""


class ModelDeploymentStatus(ApiModel):
    """What is being served, written by the operator."""

    observedGeneration: Annotated[int, Field(ge=0)] = 0
    """The metadata.generation that this status was computed for."""
    conditions: Annotated[
        list[Condition],
        Field(default_factory=list, max_length=16, json_schema_extra=list_map("type")),
    ]
    """Ready, Progressing and ModelResolved; where the spec asks for them DriftDetected,
    QualityDropped, Capturing and Retraining."""
    url: Annotated[str | None, Field(max_length=512)] = None
    """Where the model answers inside the cluster."""
    stable: Revision | None = None
    """The revision that gets the traffic."""
    candidate: Revision | None = None
    """The revision that is to replace it."""
    previous: Annotated[list[Revision], Field(default_factory=list, max_length=2)]
    """Stable revisions of before, the latest first; their Deployments are kept at zero."""
    resolution: Resolution | None = None
    """The recorded digest of an unpinned model, or of the bundle that was made."""
    detected: Detection | None = None
    """The format that was found by looking."""
    promoted: Promotion | None = None
    """A model that is served in place of spec.model, until that changes."""
    rollbackRequest: Annotated[str | None, Field(max_length=253)] = None
    """Value of the annotation perennial.dev/rollback that was acted on last."""
    monitoring: MonitoringStatus | None = None
    """What the pods' counters told."""
    retraining: RetrainingStatus | None = None
    """The RetrainJobs of this model."""
    replicas: Annotated[int, Field(ge=0)] = 0
    """Pods of the stable revision that exist."""
    readyReplicas: Annotated[int, Field(ge=0)] = 0
    """Pods of the stable revision that answer."""
    selector: Annotated[str | None, Field(max_length=512)] = None
    """Label selector of the pods, for autoscalers."""


_PACKAGING_RULES = (
    (
        "has(self.packaging) || !has(self.model.format) || self.model.format in ['Auto', 'Onnx']",
        "packaging: expected where the bundle is kept that is made of this model.format: add "
        "packaging.output.uri, such as s3://BUCKET/PATH",
    ),
    (
        "has(self.packaging) || !has(self.compression)",
        "packaging: expected where the compressed model is kept: add packaging.output.uri, such as "
        "s3://BUCKET/PATH",
    ),
    (
        "!has(self.packaging) || !has(self.model.digest) || has(self.compression) || "
        "(has(self.model.format) && self.model.format != 'Auto')",
        "model.format: expected the format of the artifact that model.digest pins; leave packaging "
        "out where it is a bundle or an ONNX model",
    ),
)


class ModelDeployment(ApiModel):
    """A trained model, served from pods of its own and kept alive.

    The operator makes one Deployment for each revision (a model, served in one way), a Service
    named like the resource that selects the stable revision, and switches to a new revision only
    when that is ready.
    """

    spec: Annotated[ModelDeploymentSpec, Field(json_schema_extra=rules(*_PACKAGING_RULES))]
    """What is to be served, and how."""
    status: Annotated[ModelDeploymentStatus, Field(default_factory=ModelDeploymentStatus)]
    """What is being served, written by the operator."""
