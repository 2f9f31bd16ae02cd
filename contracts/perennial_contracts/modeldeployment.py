"""ModelDeployment: a trained model that is to be served."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from .api import DIGEST_MESSAGE, ApiModel, Condition, LocalReference, list_map, rules

KIND = "ModelDeployment"
PLURAL = "modeldeployments"
SHORT_NAME = "mdep"


class ConditionType(StrEnum):
    """The aspects that ``status.conditions`` tells about."""

    READY = "Ready"
    """Whether the model answers requests."""
    PROGRESSING = "Progressing"
    """Whether the cluster still moves towards the spec. False with a reason of failure: stuck."""
    MODEL_RESOLVED = "ModelResolved"
    """Whether the bytes that the spec means were found, and which they are."""


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
    RETIRING = "Retiring"
    """The new revision serves; the pods of the old one are being drained."""
    SCALING = "Scaling"
    """Replicas are being added or removed."""
    APPLY_REFUSED = "ApplyRefused"
    """The API server refused an object that the spec leads to."""
    NAME_TAKEN = "NameTaken"
    """An object that somebody else made stands where a child must stand."""


class ResolvedReason(StrEnum):
    """Reasons of the condition ModelResolved, beside those of LoadFailure."""

    PINNED = "Pinned"
    """The spec says the digest."""
    RESOLVED = "Resolved"
    """The digest was found at the URI, and the model loads."""
    RESOLVING = "Resolving"
    """The model is being looked up."""


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


class ModelSource(ApiModel):
    """Where the trained model lies."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules(
                (
                    "self.matches('^(s3://[^/]+/.+|https?://[^/]+/.+|pvc://[^/]+/.+)$')",
                    "expected s3://BUCKET/PATH, http(s)://HOST/PATH or pvc://CLAIM/PATH",
                )
            ),
        ),
    ]
    """A bundle (a directory with bundle.json), a directory with model.onnx, or an .onnx file:
    s3://BUCKET/PATH, http(s)://HOST/PATH or pvc://CLAIM/PATH. A directory ends in a slash."""
    digest: Annotated[
        str | None,
        Field(
            max_length=71,
            json_schema_extra=rules(("self.matches('^sha256:[0-9a-f]{64}$')", DIGEST_MESSAGE)),
        ),
    ] = None
    """Pins the bytes: the digest of bundle.json, or of the .onnx file. Without it the digest that
    is found first is recorded in the status and held to."""
    secretRef: LocalReference | None = None
    """Secret with the store's credentials as environment variables: AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL. The operator never reads it."""


Quantities = Annotated[
    dict[Annotated[str, Field(max_length=317)], int | Annotated[str, Field(max_length=64)]],
    Field(max_length=16),
]


class Resources(ApiModel):
    """Compute resources of each replica, as in a container."""

    requests: Quantities | None = None
    """What the scheduler sets aside."""
    limits: Quantities | None = None
    """What a replica may not exceed. GPUs are asked for here: nvidia.com/gpu: 1."""


class Toleration(ApiModel):
    """Lets the pods onto nodes with a taint, as in a pod."""

    key: Annotated[str | None, Field(max_length=316)] = None
    """Taint key; all keys where absent."""
    operator: Literal["Exists", "Equal"] | None = None
    """Exists or Equal (the default)."""
    value: Annotated[str | None, Field(max_length=63)] = None
    """Taint value to match."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Taint effect to match; all effects where absent."""
    tolerationSeconds: Annotated[int | None, Field(ge=0)] = None
    """How long a NoExecute taint is tolerated."""


class Scheduling(ApiModel):
    """Where the pods may run."""

    nodeSelector: Annotated[
        dict[Annotated[str, Field(max_length=317)], Annotated[str, Field(max_length=63)]] | None,
        Field(max_length=32),
    ] = None
    """Labels that a node must have."""
    tolerations: Annotated[list[Toleration] | None, Field(max_length=32)] = None
    """Taints that the pods tolerate."""
    affinity: Annotated[
        dict[str, Any] | None,
        Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True}),
    ] = None
    """Node and pod affinity, as in a pod."""
    priorityClassName: Annotated[str | None, Field(max_length=253)] = None
    """PriorityClass of the pods."""
    runtimeClassName: Annotated[str | None, Field(max_length=253)] = None
    """RuntimeClass of the pods."""


class Serving(ApiModel):
    """How the model is served."""

    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Runtime image. Without it the operator's own choice at the time of the last change of the
    spec: an upgrade of the operator does not restart models."""
    imagePullSecrets: Annotated[
        list[LocalReference] | None,
        Field(max_length=8, json_schema_extra=list_map("name")),
    ] = None
    """Secrets for pulling the image."""
    resources: Annotated[
        Resources,
        Field(
            default_factory=Resources,
            json_schema_extra=rules(
                (
                    "!has(self.limits) || !('nvidia.com/gpu' in self.limits) || "
                    "string(self.limits['nvidia.com/gpu']).matches('^[0-9]+$')",
                    "nvidia.com/gpu: expected a whole number of GPUs, such as 1",
                ),
                (
                    "!has(self.requests) || !('nvidia.com/gpu' in self.requests) || "
                    "(has(self.limits) && 'nvidia.com/gpu' in self.limits && "
                    "string(self.limits['nvidia.com/gpu']) == "
                    "string(self.requests['nvidia.com/gpu']))",
                    "nvidia.com/gpu: expected the same number under limits; "
                    "write GPUs under limits only",
                ),
            ),
        ),
    ]
    """Compute resources of each replica."""
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
    since: Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
    """When it took this place: as the stable revision, or as the candidate."""


class Resolution(ApiModel):
    """What a lookup of an unpinned model found."""

    source: Annotated[str, Field(max_length=64)]
    """Hash of the spec's model fields that were looked up; another one is looked up anew."""
    digest: Annotated[str, Field(max_length=71)]
    """Digest that was found."""


class ModelDeploymentStatus(ApiModel):
    """What is being served, written by the operator."""

    observedGeneration: Annotated[int, Field(ge=0)] = 0
    """The metadata.generation that this status was computed for."""
    conditions: Annotated[
        list[Condition],
        Field(default_factory=list, max_length=16, json_schema_extra=list_map("type")),
    ]
    """Ready, Progressing and ModelResolved."""
    url: Annotated[str | None, Field(max_length=512)] = None
    """Where the model answers inside the cluster."""
    stable: Revision | None = None
    """The revision that gets the traffic."""
    candidate: Revision | None = None
    """The revision that is to replace it."""
    previous: Annotated[list[Revision], Field(default_factory=list, max_length=2)]
    """Stable revisions of before, the latest first; their Deployments are kept at zero."""
    resolution: Resolution | None = None
    """The recorded digest of an unpinned model."""
    replicas: Annotated[int, Field(ge=0)] = 0
    """Pods of the stable revision that exist."""
    readyReplicas: Annotated[int, Field(ge=0)] = 0
    """Pods of the stable revision that answer."""
    selector: Annotated[str | None, Field(max_length=512)] = None
    """Label selector of the pods, for autoscalers."""


class ModelDeployment(ApiModel):
    """A trained model, served from pods of its own and kept alive.

    The operator makes one Deployment for each revision (a model, served in one way), a Service
    named like the resource that selects the stable revision, and switches to a new revision only
    when that is ready.
    """

    spec: ModelDeploymentSpec
    """What is to be served, and how."""
    status: Annotated[ModelDeploymentStatus, Field(default_factory=ModelDeploymentStatus)]
    """What is being served, written by the operator."""
