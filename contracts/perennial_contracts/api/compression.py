"""How a model is made smaller or faster, and what that may cost in quality."""

from typing import Annotated, Literal

from pydantic import Field

from ..stats.quality import MetricName
from ..wire.modelcard import TaskName
from .common import PARQUET_FILE, ApiModel, list_map

MethodType = Literal["Int8Dynamic", "Int8Static", "Float16", "Prune", "Distill"]


class Method(ApiModel):
    """One way to make a model smaller or faster."""

    type: MethodType
    """Int8Dynamic: weights as 8-bit integers. Int8Static: activations too, by calibration on data.
    Float16: weights as half floats. Prune: whole neurons, or trees, are left out. Distill: a small
    student learns what the model answers."""


class CompressionGate(ApiModel):
    """What a compressed model may lose."""

    metric: MetricName | None = None
    """What is measured, on rows that the model has not learnt from; where absent accuracy, and rmse
    for a model that tells numbers."""
    maxLossPermille: Annotated[int, Field(ge=0, le=1000)] = 5
    """Most that the metric may get worse by, in thousandths; of errors such as mae and rmse in
    thousandths of the uncompressed model's."""
    data: Annotated[
        str | None,
        Field(
            max_length=1024,
            json_schema_extra=PARQUET_FILE,
        ),
    ] = None
    """Rows to measure on, a Parquet file (s3://BUCKET/PATH.parquet; gs://, az://, abfss://,
    http(s):// and hf:// too) with a column for each input and the label. A RetrainJob has held-out
    rows of its own and needs none."""
    label: Annotated[str, Field(min_length=1, max_length=256)] = "label"
    """Column of the data that holds the truth."""


def resolve_compression_gate(gate: CompressionGate, task: TaskName) -> CompressionGate:
    """The gate with the metric that is usual for a task where it names none."""
    if gate.metric is not None:
        return gate
    usual: MetricName = "rmse" if task == "Regression" else "accuracy"
    return gate.model_copy(update={"metric": usual})


class Compression(ApiModel):
    """What is tried, and what the result must keep."""

    methods: Annotated[
        list[Method],
        Field(min_length=1, max_length=5, json_schema_extra=list_map("type")),
    ]
    """Tried in this order; the first that passes the gate and is smaller or faster is served."""
    gate: Annotated[CompressionGate, Field(default_factory=CompressionGate)]
    """What a compressed model may lose."""
