"""ModelDeployment: a trained model that is to be served."""

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
"""Each new value (a revision of status.previous, or anything for the last) rolls back once."""


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
