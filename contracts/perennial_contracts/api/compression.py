"""Compression of a model, and the quality that it may lose."""

from typing import Annotated, Literal

from pydantic import Field

from ..stats.quality import MetricName
from ..wire.modelcard import TaskName
from .common import PARQUET_FILE, ApiModel, list_map

MethodType = Literal["Int8Dynamic", "Int8Static", "Float16", "Prune", "Distill"]


class Method(ApiModel):
    """Method that makes a model smaller or faster."""

    type: MethodType
    """Int8Dynamic stores weights as 8-bit integers. Int8Static also quantizes activations. Float16
    stores weights as half floats. Prune removes neurons, channels or trees. Distill trains a small
    student on the model's answers."""


class CompressionGate(ApiModel):
    """Rule that accepts or rejects a compressed model."""

    metric: MetricName | None = None
    """Metric of the gate. Defaults to accuracy, and to rmse for regression models."""
    maxLossPermille: Annotated[int, Field(ge=0, le=1000)] = 5
    """Largest accepted loss of the metric, in thousandths; for log_loss, mae, rmse and pinball
    losses, in thousandths of the value before."""
    data: Annotated[
        str | None,
        Field(
            max_length=1024,
            json_schema_extra=PARQUET_FILE,
        ),
    ] = None
    """URI of a Parquet file to measure on, such as s3://BUCKET/PATH.parquet: a column for each
    input, and the label. Required in a ModelDeployment, not allowed in a RetrainJob."""
    label: Annotated[str, Field(min_length=1, max_length=256)] = "label"
    """Column that contains the label."""


def resolve_compression_gate(gate: CompressionGate, task: TaskName) -> CompressionGate:
    """Return the gate, with the default metric of the task if it names none."""
    if gate.metric is not None:
        return gate
    usual: MetricName = "rmse" if task == "Regression" else "accuracy"
    return gate.model_copy(update={"metric": usual})


class Compression(ApiModel):
    """Methods to try, and the gate for their results."""

    methods: Annotated[
        list[Method],
        Field(min_length=1, max_length=5, json_schema_extra=list_map("type")),
    ]
    """Methods in order of preference. The first that passes the gate and is smaller or faster is
    used."""
    gate: Annotated[CompressionGate, Field(default_factory=CompressionGate)]
    """Rule that accepts or rejects a compressed model."""
