"""Tensors in JSON: values to arrays, arrays to values that orjson writes. No I/O.

JSON has no NaN: ``null`` among numbers stands for it, in both directions.
"""

import math
import struct
from itertools import chain
from typing import Any

import numpy as np

from ...signature import TensorSpec
from ..shared.elements import WrongElementError, elements
from ..shared.infer_request import count_elements, wrong_input
from ..shared.messages import brief

FORMATS = {
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
"""Format characters of ``struct``, by datatype."""


def encode_data(array: np.ndarray) -> Any:
    """Return a tensor's data, flat, for orjson with OPT_SERIALIZE_NUMPY."""
    flat = array.ravel()
    return flat.tolist() if flat.dtype.hasobject else flat


def decode_data(
    spec: TensorSpec, shape: tuple[int, ...], data: list[Any], *, may_hold_booleans: bool = True
) -> np.ndarray:
    """Read a tensor's data, flat or nested in the tensor's shape.

    Args:
        shape: a checked shape.

    Raises:
        BadRequestError: with the tensor, and the expected and actual content.
    """
    expected = count_elements(spec, shape)
    packed = _packed(spec, shape, expected, data, may_hold_booleans)
    if packed is not None:
        return packed
    values = _flat(spec, shape, data)
    if len(values) != expected:
        raise wrong_input(
            spec,
            f"data: expected {expected} elements for the shape {list(shape)}, got {len(values)}",
        )
    if spec.datatype == "BYTES" and None in values:
        raise wrong_input(spec, f"data: element {values.index(None)}: expected a string, got null")
    try:
        array = elements(spec.datatype, spec.dtype, values)
    except WrongElementError as error:
        raise wrong_input(spec, f"data: element {error.index}: {error}") from None
    return array.reshape(shape)


def _flat(spec: TensorSpec, shape: tuple[int, ...], data: list[Any]) -> list[Any]:
    """Return the elements in row-major order, from flat or nested data."""
    if not data or type(data[0]) is not list:
        return data
    values: list[Any] = [data]
    for dimension, extent in enumerate(shape):
        wrong = next((v for v in values if type(v) is not list or len(v) != extent), None)
        if wrong is not None:
            got = f"{len(wrong)} of them" if type(wrong) is list else brief(wrong)
            raise wrong_input(
                spec,
                f"data: expected it flat or nested as {list(shape)}: lists of {extent} in "
                f"dimension {dimension}, got {got}",
            )
        values = list(chain.from_iterable(values))
    return values


def _packed(
    spec: TensorSpec,
    shape: tuple[int, ...],
    count: int,
    data: list[Any],
    may_hold_booleans: bool,
) -> np.ndarray | None:
    """Return an array of numbers of the right types and ranges.

    This takes half the time of NumPy's checks. ``struct`` accepts booleans as numbers, so this
    function searches for them if there may be any.

    None for all other data: wrong data, and rare forms such as deeper nesting or no elements.
    """
    code = FORMATS.get(spec.datatype)
    if code is None or not count:
        return None
    if data and type(data[0]) is list:
        data = _flat_rows(shape, data)
    if len(data) != count or (may_hold_booleans and bool in set(map(type, data))):
        return None
    packed = _pack(f"={count}{code}", data)
    if packed is None and code in "efd" and None in data:
        packed = _pack(f"={count}{code}", [math.nan if value is None else value for value in data])
    return None if packed is None else np.ndarray(shape, spec.dtype, packed)


def _pack(layout: str, data: list[Any]) -> bytes | None:
    try:
        return struct.pack(layout, *data)
    except (struct.error, OverflowError):
        return None


def _flat_rows(shape: tuple[int, ...], rows: list[Any]) -> list[Any]:
    """Return the elements of nested data of two dimensions, or nothing for other data."""
    if len(shape) != 2 or len(rows) != shape[0]:
        return []
    if any(type(row) is not list or len(row) != shape[1] for row in rows):
        return []
    return list(chain.from_iterable(rows))
