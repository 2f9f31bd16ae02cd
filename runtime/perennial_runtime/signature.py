"""What a model takes and gives: names, element types and shapes of its tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DTYPES: dict[str, np.dtype] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(np.object_),
}
"""By the Open Inference Protocol's name; BYTES tensors hold Python strings."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    """Extent of each dimension; -1 for any."""

    @property
    def dtype(self) -> np.dtype:
        return DTYPES[self.datatype]

    @property
    def is_column(self) -> bool:
        """Whether it holds one value a row: a feature of a table."""
        return self.shape in ((-1,), (-1, 1))

    def sample(self) -> np.ndarray:
        """Zeros (or empty strings) that fit, with 1 for every dimension that is free."""
        shape = [1 if extent < 0 else extent for extent in self.shape]
        if self.datatype == "BYTES":
            return np.full(shape, "", dtype=object)
        return np.zeros(shape, dtype=self.dtype)

    def describe(self) -> dict[str, object]:
        """The entry of the protocol's model metadata."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


def is_tabular(inputs: Sequence[TensorSpec]) -> bool:
    """Whether a model takes rows of a table, an input for each feature."""
    return bool(inputs) and all(tensor.is_column for tensor in inputs)
