"""Preparation of an artifact, which a framework saved, as a bundle."""

from typing import Annotated, Literal

from pydantic import Field

from .common import PARQUET_FILE, ApiModel, LocalReference
from .pod_settings import PodResources, PullSecrets, Scheduling
from .retrainjob import Output

ModelFormat = Literal[
    "Auto", "Onnx", "SkLearn", "XGBoost", "LightGBM", "Keras", "SavedModel", "TFLite", "PyTorch",
    "MLflow",
]  # fmt: skip
"""``Auto``, or one of :data:`~perennial_contracts.wire.formats.FORMATS`."""


class Packaging(ApiModel):
    """Preparation of an artifact as a bundle.

    A Job converts the artifact to ONNX, checks that both give the same answers, compresses the
    model if spec.compression is set, and publishes the bundle.
    """

    output: Output
    """Location for the bundles."""
    secretRef: LocalReference | None = None
    """Secret with the credentials for output.uri, sample and spec.compression.gate.data. Defaults
    to spec.model.secretRef. The serving pods use it too."""
    trusted: bool = False
    """True if the source of the artifact is trusted. Reading a pickle (.pkl, .joblib) or a PyTorch
    file (.pt2) runs code in it, so these are rejected otherwise."""
    sample: Annotated[
        str | None,
        Field(
            max_length=1024,
            json_schema_extra=PARQUET_FILE,
        ),
    ] = None
    """URI of a Parquet file with typical rows, such as s3://BUCKET/PATH.parquet. Artifact and
    bundle must give the same answers on them. If unset, rows are generated."""
    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Image of the Job. Defaults to the operator's trainer image for the format."""
    imagePullSecrets: PullSecrets = None
    """Secrets for pulling the image."""
    resources: PodResources
    """Compute resources of the Job. GPUs are ignored, because conversion needs none."""
    scheduling: Annotated[Scheduling, Field(default_factory=Scheduling)]
    """Constraints for the node of the Job's pod."""
    activeDeadlineSeconds: Annotated[int, Field(ge=10, le=86_400)] = 1800
    """Seconds after which the Job fails."""
