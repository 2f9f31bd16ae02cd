"""What is being served: the status of a ModelDeployment."""

from typing import Annotated, Literal

from pydantic import Field

from ..wire.formats import Format, Variant
from .common import ApiModel, Condition, Moment, list_map
from .monitoring import MonitoringStatus
from .packaging import ModelFormat
from .retraining import RetrainingStatus
from .retrainjob_status import Lineage


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
