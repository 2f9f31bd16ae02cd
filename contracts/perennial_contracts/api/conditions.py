"""Conditions of a ModelDeployment, and their reasons."""

from enum import StrEnum


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
