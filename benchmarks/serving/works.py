"""Works for every server: model, protocol, rows, connections."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ModelKind = Literal["tabular", "image"]
Protocol = Literal["json", "binary", "grpc"]

MODEL_NAME = "m"
"""Name of the model in every server."""
HTTP_PATH = f"/v2/models/{MODEL_NAME}/infer"
GRPC_PATH = "/inference.GRPCInferenceService/ModelInfer"

FEW_TO_MANY = (1, 16, 64)
FEW = (1, 4, 16)
"""Connections for requests that take milliseconds of a core."""


@dataclass(frozen=True)
class Work:
    """Kind of request."""

    key: str
    title: str
    model: ModelKind
    protocol: Protocol
    rows: int
    connections: tuple[int, ...]

    def at(self, connections: Sequence[int] | None) -> tuple[int, ...]:
        """Return the connection counts to measure, restricted to those given."""
        if connections is None:
            return self.connections
        return tuple(count for count in self.connections if count in connections)


WORKS = (
    Work("tabular-1-json", "tabular, 1 row, JSON", "tabular", "json", 1, FEW_TO_MANY),
    Work("tabular-64-json", "tabular, 64 rows, JSON", "tabular", "json", 64, FEW_TO_MANY),
    Work("tabular-64-binary", "tabular, 64 rows, binary", "tabular", "binary", 64, FEW_TO_MANY),
    Work("tabular-1-grpc", "tabular, 1 row, gRPC", "tabular", "grpc", 1, FEW_TO_MANY),
    Work("tabular-64-grpc", "tabular, 64 rows, gRPC", "tabular", "grpc", 64, FEW_TO_MANY),
    Work("image-binary", "image CNN, 1 image, binary", "image", "binary", 1, FEW),
)
