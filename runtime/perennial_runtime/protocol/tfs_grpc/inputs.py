"""TensorProtos to the inputs of a model, one by one or all features together."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...signature import TensorSpec, is_tabular
from ..shared.columns import Columns, Feeds
from ..shared.infer_request import LARGEST_EXTENT, wrong_input
from ..shared.messages import brief
from ..shared.tensorflow import DATA_TYPES, DataType

VALUE_FIELDS = {
    "BOOL": "bool_val",
    "INT8": "int_val",
    "INT16": "int_val",
    "INT32": "int_val",
    "INT64": "int64_val",
    "UINT8": "int_val",
    "UINT16": "int_val",
    "UINT32": "uint32_val",
    "UINT64": "uint64_val",
    "FP16": "half_val",
    "FP32": "float_val",
    "FP64": "double_val",
    "BYTES": "string_val",
}
"""Field of a TensorProto with the values, by datatype."""

LARGEST_FILLED = 16 * 1024 * 1024
"""Largest size in bytes of a tensor that a message may give by its first values only."""


def read_tensor(spec: TensorSpec, tensor: Any) -> np.ndarray:
    """Return the tensor, read-only if its content is that of the message.

    If a field has fewer values than the shape, the last value fills the rest, as in TensorFlow. For
    one value per row, the shapes ``[n]`` and ``[n, 1]`` are the same.

    Raises:
        BadRequestError: with the tensor, the field, and the expected and actual content.
    """
    if tensor.dtype != DATA_TYPES[spec.datatype]:
        raise wrong_input(
            spec,
            f"dtype: expected {DATA_TYPES[spec.datatype].name}, got {_dtype_name(tensor.dtype)}",
        )
    shape = _shape(spec, tensor.tensor_shape)
    count = math.prod(shape)
    content = tensor.tensor_content
    array = _of_content(spec, count, content) if content else _of_values(spec, count, tensor)
    return array.reshape(spec.shape if spec.is_column else shape)


class TableReader:
    """Reads all inputs of one tabular model together.

    That costs less than an array for each of them.
    """

    def __init__(self, features: Sequence[TensorSpec]) -> None:
        self._columns = Columns(features)
        self._fields = [
            (feature.name, DATA_TYPES[feature.datatype].value, VALUE_FIELDS[feature.datatype])
            for feature in features
        ]
        self._texts = [feature.name for feature in features if feature.datatype == "BYTES"]
        # half_val has the bits of the numbers, which Columns cannot read.
        self._can_read = is_tabular(features) and "FP16" not in {f.datatype for f in features}

    def read(self, tensors: Mapping[str, Any]) -> Feeds | None:
        """Return the inputs, or None if they are not in the form that most clients use.

        Raises:
            BadRequestError: with the row, the feature, and the expected and actual value.
        """
        if not self._can_read:
            return None
        columns: dict[str, list[Any]] = {}
        rows, shape = -1, None
        for name, dtype, field in self._fields:
            tensor = tensors[name]
            if tensor.tensor_shape != shape:  # comparing costs less than reading each shape
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


def _shape(spec: TensorSpec, proto: Any) -> tuple[int, ...]:
    shape = tuple([dim.size for dim in proto.dim])
    expected = (-1, 1)[: len(shape)] if spec.is_column else spec.shape
    is_right = len(shape) == len(expected) and not proto.unknown_rank
    for extent, wanted in zip(shape, expected, strict=False):
        is_right = is_right and 0 <= extent <= LARGEST_EXTENT and wanted in (-1, extent)
    # NumPy rejects shapes that would be too large without their empty dimensions.
    if is_right and 0 in shape:
        is_right = math.prod(extent or 1 for extent in shape) <= LARGEST_EXTENT
    if not is_right:
        got = "an unknown rank" if proto.unknown_rank else brief(list(shape))
        raise wrong_input(
            spec, f"tensor_shape: expected {list(spec.shape)} (-1: any extent), got {got}"
        )
    return shape


def _of_content(spec: TensorSpec, count: int, content: bytes) -> np.ndarray:
    dtype = spec.dtype
    if dtype.kind == "O":
        raise wrong_input(spec, "tensor_content: expected the strings in string_val")
    if len(content) != count * dtype.itemsize:
        raise wrong_input(
            spec,
            f"tensor_content: expected {count * dtype.itemsize} bytes, {dtype.itemsize} for each "
            f"of {count} elements, got {len(content)}",
        )
    if dtype.kind == "b":
        octets = np.frombuffer(content, np.uint8)
        if octets.max() > 1:
            raise wrong_input(
                spec, f"tensor_content: expected bytes of 0 and 1, got {octets.max()}"
            )
    return np.frombuffer(content, dtype)


def _of_values(spec: TensorSpec, count: int, tensor: Any) -> np.ndarray:
    field = VALUE_FIELDS[spec.datatype]
    values = getattr(tensor, field)
    if len(values) > count or (count and not values):
        raise wrong_input(
            spec,
            f"{field}: expected {count} values, or the first of them, got {len(values)}. "
            f"Fix: send {spec.datatype} values in {field} or in tensor_content",
        )
    if count > len(values) and count * spec.dtype.itemsize > LARGEST_FILLED:
        raise wrong_input(
            spec,
            f"{field}: expected all {count} values, as they have more than {LARGEST_FILLED} bytes, "
            f"got {len(values)}",
        )
    array = _array(spec, field, list(values))
    if count == len(values):
        return array
    return np.concatenate([array, np.full(count - len(values), array[-1], array.dtype)])


def _array(spec: TensorSpec, field: str, values: list[Any]) -> np.ndarray:
    try:
        if spec.datatype == "BYTES":
            return np.array(_texts(spec, values), object)
        if spec.datatype == "FP16":
            return np.array(values, np.uint16).view(np.float16)
        return np.array(values, spec.dtype)
    except OverflowError:
        raise wrong_input(
            spec,
            f"{field}: expected values within "
            f"{'16 bits' if spec.datatype == 'FP16' else spec.datatype + chr(39) + 's range'}, "
            f"got numbers from {min(values)} to {max(values)}",
        ) from None


def _texts(spec: TensorSpec, values: Sequence[bytes]) -> list[str]:
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError:
        raise wrong_input(
            spec, "string_val: expected UTF-8, as strings of ONNX models are text, got other bytes"
        ) from None


def _dtype_name(number: int) -> str:
    try:
        return DataType(number).name
    except ValueError:
        return f"number {number}" if number else "none"


def _rows(shape: Any) -> int:
    """Return n for a TensorShapeProto of ``[n]`` or ``[n, 1]``, and 0 for any other."""
    extents = [dim.size for dim in shape.dim]
    is_column = len(extents) == 1 or extents[1:] == [1]
    return extents[0] if is_column and not shape.unknown_rank else 0
