"""The inputs and outputs of a model: name, datatype and shape of each tensor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perennial_contracts.wire.names import NUMPY_DTYPES

DTYPES: dict[str, np.dtype] = {name: np.dtype(dtype) for name, dtype in NUMPY_DTYPES.items()}
"""NumPy dtype of each datatype of the Open Inference Protocol. BYTES tensors hold strings."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    """Extent of each dimension. -1 accepts any extent."""

    @property
    def dtype(self) -> np.dtype:
        """NumPy dtype of the tensor."""
        return DTYPES[self.datatype]

    @property
    def is_column(self) -> bool:
        """True for a tensor with one value for each row: a feature of a table."""
        return self.shape in ((-1,), (-1, 1))

    def sample(self) -> np.ndarray:
        """Return a tensor of zeros or empty strings, with 1 for each -1 in the shape."""
        shape = [1 if extent < 0 else extent for extent in self.shape]
        if self.datatype == "BYTES":
            return np.full(shape, "", dtype=object)
        return np.zeros(shape, dtype=self.dtype)

    def describe(self) -> dict[str, object]:
        """Return the entry of this tensor in the model metadata of the protocol."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


def is_tabular(inputs: Sequence[TensorSpec]) -> bool:
    """Return whether a model takes rows of a table, with one input for each feature."""
    return bool(inputs) and all(tensor.is_column for tensor in inputs)
