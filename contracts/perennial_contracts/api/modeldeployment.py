"""ModelDeployment: a trained model to serve."""

from typing import Annotated, Literal

from pydantic import Field

from .common import BUCKET_URIS, GROUP, ApiModel, Digest, LocalReference, matches, rules
from .compression import Compression
from .modeldeployment_status import ModelDeploymentStatus
from .monitoring import Monitoring
from .packaging import ModelFormat, Packaging
from .pod_settings import PodResources, PullSecrets, Scheduling
from .retraining import Retraining

KIND = "ModelDeployment"
PLURAL = "modeldeployments"
SHORT_NAME = "mdep"

ROLLBACK_ANNOTATION = f"{GROUP}/rollback"
"""Annotation for a rollback: a revision of status.previous, or any other new value for the last."""


MODEL_URIS = (
    *BUCKET_URIS,
    "https?://[^/]+/.+",
    "hf://[^/@]+/[^/@]+(@[^/]+)?/.*",
    "pvc://[^/]+/.+",
    # The tag or the digest separates the image from the path.
    "oci://[^/@]+/[a-z0-9._/-]*[a-z0-9](:[A-Za-z0-9_.-]+(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})/.*",
)
"""Patterns of URIs of models, in RE2's syntax."""


class ModelSource(ApiModel):
    """Location and digest of a trained model."""

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
    """URI of a bundle (a directory with bundle.json), of a directory with model.onnx, of an .onnx
    file, or of an artifact that a framework saved (see spec.packaging). In a store:
    s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH,
    abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH or
    hf://ORGANISATION/REPOSITORY[@REVISION]/PATH. On a web server: http(s)://HOST/PATH. On a volume:
    pvc://CLAIM/PATH. In an image: oci://REGISTRY/REPOSITORY:TAG/PATH. The URI of a directory ends
    with a slash."""
    digest: Digest | None = None
    """Digest of the model: that of bundle.json, or of the file; for the directory of an artifact,
    that of the output of sha256sum for all its files, in order of their paths. Pods refuse to serve
    other bytes. If unset, the first digest that the operator finds is recorded in the status, and
    pods must find the same."""
    format: ModelFormat = "Auto"
    """Format of the model. Auto detects it from the content. All formats except Onnx require
    spec.packaging, which prepares a bundle."""
    secretRef: LocalReference | None = None
    """Secret with the credentials of the store, as environment variables: AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL; GOOGLE_SERVICE_ACCOUNT_KEY;
    AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY; HF_TOKEN. Only the pods read it, not the
    operator."""


class Batching(ApiModel):
    """Batching of concurrent requests.

    The runtime tests at its start whether the model gives the same answers for several rows, and
    is faster. Only then it batches.
    """

    maxSize: Annotated[int, Field(ge=1, le=4096)] = 32
    """Largest number of rows in a batch. 1 disables batching."""
    maxDelayMicroseconds: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Microseconds that a batch waits for further requests. A single request never waits."""


class Serving(ApiModel):
    """Settings of the serving pods."""

    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Runtime image. Defaults to the operator's runtime image at the time of the last change of the
    spec, so that an upgrade of the operator restarts no model."""
    imagePullSecrets: PullSecrets = None
    """Secrets for pulling the image."""
    resources: PodResources
    """Compute resources of each replica."""
    accelerator: Literal["Auto", "Cpu", "Cuda", "TensorRT", "OpenVino"] = "Auto"
    """Execution provider of ONNX Runtime. Auto means the GPU if the resources request one, else the
    CPU. If the runtime image lacks the provider, the CPU runs the model."""
    batching: Batching | None = None
    """Batching of concurrent requests. Defaults to the settings of the runtime."""
    scheduling: Annotated[Scheduling, Field(default_factory=Scheduling)]
    """Constraints for the nodes of the pods."""


class ModelDeploymentSpec(ApiModel):
    """Model to serve, and settings for serving, monitoring and retraining."""

    model: ModelSource
    """Location and digest of the trained model."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Number of pods. Omit it if an autoscaler sets it."""
    serving: Annotated[Serving, Field(default_factory=Serving)]
    """Settings of the serving pods."""
    packaging: Packaging | None = None
    """Preparation of an artifact that a framework saved. Not needed for bundles and ONNX models."""
    compression: Annotated[
        Compression | None,
        Field(
            json_schema_extra=rules(
                (
                    "has(self.gate) && has(self.gate.data)",
                    "{path}.gate.data: required. Set a Parquet file with rows that the model has "
                    "not learnt from, such as s3://BUCKET/PATH.parquet",
                )
            )
        ),
    ] = None
    """Compression of the model before it is served. If unset, it is not compressed."""
    monitoring: Monitoring | None = None
    """Monitoring of the served model. If unset, it is not monitored."""
    retraining: Retraining | None = None
    """When and how to retrain. If unset, only RetrainJobs created by hand run."""


_PACKAGING_RULES = (
    (
        "has(self.packaging) || !has(self.model.format) || self.model.format in ['Auto', 'Onnx']",
        "{path}.packaging.output.uri: required, because {path}.model.format needs a conversion. "
        "Set the location for the bundle, such as s3://BUCKET/PATH",
    ),
    (
        "has(self.packaging) || !has(self.compression)",
        "{path}.packaging.output.uri: required with {path}.compression. Set the location for the "
        "compressed model, such as s3://BUCKET/PATH",
    ),
    (
        "!has(self.packaging) || !has(self.model.digest) || has(self.compression) || "
        "(has(self.model.format) && self.model.format != 'Auto')",
        "{path}.model.format: required with {path}.packaging and {path}.model.digest. Set the "
        "format of the pinned artifact, or remove {path}.packaging if it is a bundle or an ONNX "
        "model",
    ),
)


class ModelDeployment(ApiModel):
    """ModelDeployment serves a trained model, monitors it and retrains it.

    The operator creates a Deployment for each revision (a model with serving settings), and a
    Service that selects the stable revision. The Service switches to a new revision when all its
    pods are ready.
    """

    spec: Annotated[ModelDeploymentSpec, Field(json_schema_extra=rules(*_PACKAGING_RULES))]
    """Model to serve, and settings for serving, monitoring and retraining."""
    status: Annotated[ModelDeploymentStatus, Field(default_factory=ModelDeploymentStatus)]
    """Observed state, written by the operator."""
