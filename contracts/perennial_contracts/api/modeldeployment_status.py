"""Status of a ModelDeployment."""

from typing import Annotated, Literal

from pydantic import Field

from ..wire.formats import Format, Variant
from .common import ApiModel, Condition, Moment, list_map
from .monitoring import MonitoringStatus
from .packaging import ModelFormat
from .retraining import RetrainingStatus
from .retrainjob_status import Lineage


class Revision(ApiModel):
    """Model with its serving settings. Each revision has its own Deployment."""

    name: Annotated[str, Field(max_length=63)]
    """Hash of model digest, serving settings and runtime image."""
    uri: Annotated[str, Field(max_length=1024)]
    """URI of the model."""
    digest: Annotated[str, Field(max_length=71)]
    """Digest of the model."""
    image: Annotated[str, Field(max_length=512)]
    """Runtime image."""
    since: Moment
    """Time when it became stable, or the candidate."""
    lineage: Lineage | None = None
    """RetrainJob that trained the model, if any."""


class Promotion(ApiModel):
    """Model that is served instead of spec.model."""

    uri: Annotated[str, Field(max_length=1024)]
    """URI of the model."""
    digest: Annotated[str, Field(max_length=71)]
    """Digest of the model."""
    reason: Literal["Promoted", "RolledBack"]
    """Promoted means a challenger of a RetrainJob, RolledBack means a previous model."""
    source: Annotated[str, Field(max_length=64)]
    """Hash of the spec.model that it replaces. A change of spec.model ends the promotion."""
    lineage: Lineage | None = None
    """RetrainJob that trained the model, if any."""


class Resolution(ApiModel):
    """Digest of an unpinned model, or the bundle that was prepared."""

    source: Annotated[str, Field(max_length=64)]
    """Hash of the fields of the spec that it depends on. If they change, it is resolved again."""
    digest: Annotated[str, Field(max_length=71)]
    """Digest of the model or of the bundle."""
    uri: Annotated[str | None, Field(max_length=1024)] = None
    """URI of the bundle that was prepared. Unset if spec.model.uri itself is served."""
    artifact: Annotated[str | None, Field(max_length=71)] = None
    """Digest of the artifact that the bundle was prepared from."""
    format: ModelFormat | None = None
    """Format of the artifact."""
    report: Annotated[str | None, Field(max_length=1024)] = None
    """URI of report.html."""


class Detection(ApiModel):
    """Artifact that was found at spec.model.uri and needs to be prepared."""

    source: Annotated[str, Field(max_length=64)]
    """Hash of the fields of spec.model that were resolved."""
    format: Format
    """Format of the artifact."""
    variant: Variant
    """Variant of the trainer image that converts it."""


class ModelDeploymentStatus(ApiModel):
    """Observed state of a ModelDeployment."""

    observedGeneration: Annotated[int, Field(ge=0)] = 0
    """metadata.generation that this status was computed for."""
    conditions: Annotated[
        list[Condition],
        Field(default_factory=list, max_length=16, json_schema_extra=list_map("type")),
    ]
    """Conditions: Ready, Progressing and ModelResolved; with spec.monitoring also DriftDetected,
    QualityDropped and Capturing; with spec.retraining also Retraining."""
    url: Annotated[str | None, Field(max_length=512)] = None
    """URL of the model inside the cluster."""
    stable: Revision | None = None
    """Revision that receives the traffic."""
    candidate: Revision | None = None
    """Revision that is being rolled out and will become stable."""
    previous: Annotated[list[Revision], Field(default_factory=list, max_length=2)]
    """Previous stable revisions, the latest first. Their Deployments have zero replicas."""
    resolution: Resolution | None = None
    """Recorded digest of an unpinned model, or the bundle that was prepared."""
    detected: Detection | None = None
    """Format that was detected at spec.model.uri."""
    promoted: Promotion | None = None
    """Model that is served instead of spec.model, until spec.model changes."""
    rollbackRequest: Annotated[str | None, Field(max_length=253)] = None
    """Last processed value of the annotation perennial.dev/rollback."""
    monitoring: MonitoringStatus | None = None
    """Latest results of the monitoring."""
    retraining: RetrainingStatus | None = None
    """RetrainJobs of this model."""
    replicas: Annotated[int, Field(ge=0)] = 0
    """Number of pods of the stable revision."""
    readyReplicas: Annotated[int, Field(ge=0)] = 0
    """Number of ready pods of the stable revision."""
    selector: Annotated[str | None, Field(max_length=512)] = None
    """Label selector of the pods, for autoscalers."""
