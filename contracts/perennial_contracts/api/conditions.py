"""Conditions of a ModelDeployment, and their reasons."""

from enum import StrEnum


class ConditionType(StrEnum):
    """Types of the conditions of a ModelDeployment."""

    READY = "Ready"
    """True means that the model answers requests."""
    PROGRESSING = "Progressing"
    """True means that the cluster is moving towards the spec. False means complete or stuck."""
    MODEL_RESOLVED = "ModelResolved"
    """True means that the digest of the model is known."""
    DRIFT_DETECTED = "DriftDetected"
    """True means that inputs or answers differ from the profile, by more than chance."""
    QUALITY_DROPPED = "QualityDropped"
    """True means that labels show a lower quality than on held-out data."""
    CAPTURING = "Capturing"
    """True means that predictions and labels are stored for retraining."""
    RETRAINING = "Retraining"
    """True means that a RetrainJob is running. False means none: the message has the cause."""


class ReadyReason(StrEnum):
    """Reasons of the condition Ready."""

    SERVING = "Serving"
    """All replicas are ready."""
    FEWER_REPLICAS = "FewerReplicas"
    """The model answers, from fewer replicas than spec.replicas."""
    NO_REPLICAS = "NoReplicas"
    """No replica is ready."""
    SCALED_TO_ZERO = "ScaledToZero"
    """spec.replicas is 0."""


class ProgressingReason(StrEnum):
    """Reasons of the condition Progressing, besides PodFailure and LoadFailure."""

    COMPLETE = "Complete"
    """The stable revision is that of the spec."""
    RESOLVING_MODEL = "ResolvingModel"
    """The digest of the model is being resolved and checked."""
    STARTING_CANDIDATE = "StartingCandidate"
    """A new revision is starting. The stable revision serves until it is ready."""
    PACKAGING_MODEL = "PackagingModel"
    """A bundle is being prepared from the artifact."""
    RETIRING = "Retiring"
    """The new revision serves. The pods of the old one are draining."""
    SCALING = "Scaling"
    """Replicas are being added or removed."""
    APPLY_REFUSED = "ApplyRefused"
    """The API server rejected an object that the spec leads to."""
    NAME_TAKEN = "NameTaken"
    """An object with a child's name exists and is not owned by this resource."""


class ResolvedReason(StrEnum):
    """Reasons of ModelResolved, besides LoadFailure and TrainingFailure."""

    PINNED = "Pinned"
    """spec.model.digest is set."""
    RESOLVED = "Resolved"
    """The digest was resolved, and the model loads."""
    RESOLVING = "Resolving"
    """The model is being resolved."""
    PACKAGED = "Packaged"
    """A bundle was prepared from the artifact, and is served."""
    PACKAGING = "Packaging"
    """A bundle is being prepared from the artifact."""
    CONVERTER_NOT_INSTALLED = "ConverterNotInstalled"
    """The operator has no trainer image that converts this format."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """Preparation took longer than spec.packaging.activeDeadlineSeconds."""
    PROMOTED = "Promoted"
    """A RetrainJob's challenger is served instead of spec.model, until that changes."""
    ROLLED_BACK = "RolledBack"
    """A previous model is served, until spec.model changes or another one is promoted."""


class PodFailure(StrEnum):
    """Reasons why a pod does not serve that are not the model's."""

    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONTAINER_CONFIG_ERROR = "ContainerConfigError"
    OUT_OF_MEMORY = "OutOfMemory"
    RUNTIME_CRASHED = "RuntimeCrashed"
    PODS_REFUSED = "PodsRefused"
    """A quota or a policy rejects the pods."""
