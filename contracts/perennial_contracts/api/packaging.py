"""How a raw artifact, what a framework saved, becomes a bundle that is served."""

from typing import Annotated, Literal

from pydantic import Field

from .common import PARQUET_FILE, ApiModel, LocalReference
from .pod_settings import PodResources, PullSecrets, Scheduling
from .retrainjob import Output

ModelFormat = Literal[
    "Auto", "Onnx", "SkLearn", "XGBoost", "LightGBM", "Keras", "SavedModel", "TFLite", "PyTorch",
    "MLflow",
]  # fmt: skip
"""Auto, or one of :data:`~perennial_contracts.wire.formats.FORMATS`."""


class Packaging(ApiModel):
    """What a raw artifact needs to become a bundle: a Job converts it, checks that the two answer
    alike, compresses it where spec.compression asks for that, and keeps the bundle."""

    output: Output
    """Where bundles are kept."""
    secretRef: LocalReference | None = None
    """Secret with the credentials of output.uri, the sample and the gate's data, as in spec.model;
    that one where absent. The pods that serve the bundle read it with these credentials too."""
    trusted: bool = False
    """Whether the artifact may run code: pickles (.pkl, .joblib) do while they are read, and are
    refused unless this says that their source is trusted."""
    sample: Annotated[
        str | None,
        Field(
            max_length=1024,
            json_schema_extra=PARQUET_FILE,
        ),
    ] = None
    """Rows such as the model gets, a Parquet file (s3://BUCKET/PATH.parquet; gs://, az://, abfss://,
    http(s):// and hf:// too), on which the artifact and the bundle must answer alike. Rows are made
    up where absent."""
    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Image of the Job; the operator's own for the format where absent."""
    imagePullSecrets: PullSecrets = None
    """Secrets for pulling the image."""
    resources: PodResources
    """Compute resources of the Job. GPUs are left out: converting needs none."""
    scheduling: Annotated[Scheduling, Field(default_factory=Scheduling)]
    """Where the Job's pod may run."""
    activeDeadlineSeconds: Annotated[int, Field(ge=10, le=86_400)] = 1800
    """The Job fails when it takes longer."""
