"""TensorProto to the tensor that a model declares."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.messages import brief
from ..shared.tensorflow import DATA_TYPES, DataType
from .fields import VALUE_FIELDS

LARGEST_EXTENT = 2**31 - 1
LARGEST_FILLED = 16 * 1024 * 1024
"""Bytes of a tensor of which a message has but the first values; what is larger comes whole."""


def read_tensor(spec: TensorSpec, tensor: Any) -> np.ndarray:
    """A tensor that fits, read-only where it lies in the message.

    Of values in a field of their type the last one fills what is missing, as in TensorFlow. For one
    value a row, the shapes ``[n]`` and ``[n, 1]`` are the same.

    Raises:
        BadRequestError: naming the tensor and the field, what was expected, and what came.
    """
    if tensor.dtype != DATA_TYPES[spec.datatype]:
        raise _wrong(
            spec,
            f"dtype: expected {DATA_TYPES[spec.datatype].name}, got {_dtype_name(tensor.dtype)}",
        )
    shape = _shape(spec, tensor.tensor_shape)
    count = math.prod(shape)
    content = tensor.tensor_content
    array = _of_content(spec, count, content) if content else _of_values(spec, count, tensor)
    return array.reshape(spec.shape if spec.is_column else shape)


def _shape(spec: TensorSpec, proto: Any) -> tuple[int, ...]:
    shape = tuple([dim.size for dim in proto.dim])
    expected = (-1, 1)[: len(shape)] if spec.is_column else spec.shape
    is_right = len(shape) == len(expected) and not proto.unknown_rank
    for extent, known in zip(shape, expected, strict=False):
        is_right = is_right and 0 <= extent <= LARGEST_EXTENT and known in (-1, extent)
    # NumPy refuses what would be too large without its empty dimensions.
    if is_right and 0 in shape:
        is_right = math.prod(extent or 1 for extent in shape) <= LARGEST_EXTENT
    if not is_right:
        got = "an unknown rank" if proto.unknown_rank else brief(list(shape))
        raise _wrong(spec, f"tensor_shape: expected {list(spec.shape)} (-1: any extent), got {got}")
    return shape


def _of_content(spec: TensorSpec, count: int, content: bytes) -> np.ndarray:
    dtype = spec.dtype
    if dtype.kind == "O":
        raise _wrong(spec, "tensor_content: expected the strings in string_val")
    if len(content) != count * dtype.itemsize:
        raise _wrong(
            spec,
            f"tensor_content: expected {count * dtype.itemsize} bytes, {dtype.itemsize} for each "
            f"of {count} elements, got {len(content)}",
        )
    if dtype.kind == "b":
        octets = np.frombuffer(content, np.uint8)
        if octets.max() > 1:
            raise _wrong(spec, f"tensor_content: expected bytes of 0 and 1, got {octets.max()}")
    return np.frombuffer(content, dtype)


def _of_values(spec: TensorSpec, count: int, tensor: Any) -> np.ndarray:
    field = VALUE_FIELDS[spec.datatype]
    values = getattr(tensor, field)
    if len(values) > count or (count and not values):
        raise _wrong(
            spec,
            f"{field}: expected {count} values, or the first of them, got {len(values)}. "
            f"{spec.datatype} values come in {field} or in tensor_content",
        )
    if count > len(values) and count * spec.dtype.itemsize > LARGEST_FILLED:
        raise _wrong(
            spec,
            f"{field}: expected all {count} values, as together they have more than "
            f"{LARGEST_FILLED} bytes, got {len(values)}",
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
        raise _wrong(
            spec,
            f"{field}: expected values within "
            f"{'16 bits' if spec.datatype == 'FP16' else spec.datatype + chr(39) + 's range'}, "
            f"got numbers from {min(values)} to {max(values)}",
        ) from None


def _texts(spec: TensorSpec, values: Sequence[bytes]) -> list[str]:
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError:
        raise _wrong(
            spec, "string_val: expected UTF-8, as strings of ONNX models are texts, got other bytes"
        ) from None


def _dtype_name(number: int) -> str:
    try:
        return DataType(number).name
    except ValueError:
        return f"number {number}" if number else "none"


def _wrong(spec: TensorSpec, problem: str) -> BadRequestError:
    return BadRequestError(f"input {spec.name!r}: {problem}")
