"""Inputs of one value a row, read together: an array for each would cost more than their values."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...signature import TensorSpec, is_tabular
from ..shared.columns import Columns, Feeds
from ..shared.tensorflow import DATA_TYPES
from .fields import VALUE_FIELDS


class TableReader:
    """Reads the inputs of one tabular model."""

    def __init__(self, features: Sequence[TensorSpec]) -> None:
        self._columns = Columns(features)
        self._fields = [
            (feature.name, DATA_TYPES[feature.datatype].value, VALUE_FIELDS[feature.datatype])
            for feature in features
        ]
        self._texts = [feature.name for feature in features if feature.datatype == "BYTES"]
        # Halves come as bits.
        self._can_read = is_tabular(features) and "FP16" not in {f.datatype for f in features}

    def read(self, tensors: Mapping[str, Any]) -> Feeds | None:
        """The inputs of some rows; None where they are in any way not as most clients send them.

        Raises:
            BadRequestError: naming the row and the feature, what was expected, and what came.
        """
        if not self._can_read:
            return None
        columns: dict[str, list[Any]] = {}
        rows, shape = -1, None
        for name, dtype, field in self._fields:
            tensor = tensors[name]
            if tensor.tensor_shape != shape:  # comparing costs less than looking into each
                shape = tensor.tensor_shape
                count = _rows(shape)
                if rows not in (-1, count):
                    return None
                rows = count
            values = columns[name] = getattr(tensor, field)[:]
            if tensor.dtype != dtype or len(values) != rows or tensor.tensor_content:
                return None
        if not rows:
            return None
        try:
            for name in self._texts:
                columns[name] = [text.decode() for text in columns[name]]
        except UnicodeDecodeError:
            return None
        return self._columns.of_columns(columns)


def _rows(shape: Any) -> int:
    """How many rows a TensorShapeProto of ``[n]`` or ``[n, 1]`` says; 0 for any other."""
    extents = [dim.size for dim in shape.dim]
    is_column = len(extents) == 1 or extents[1:] == [1]
    return extents[0] if is_column and not shape.unknown_rank else 0
