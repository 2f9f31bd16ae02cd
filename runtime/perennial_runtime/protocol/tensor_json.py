"""Tensors in JSON: numbers and strings to arrays, arrays to what orjson writes. No I/O.

JSON has no NaN: ``null`` among numbers stands for it, both ways.
"""

import math
import struct
from itertools import chain
from typing import Any

import numpy as np

from ..signature import TensorSpec
from .messages import brief
from .signature import count_elements, wrong_input

_FORMATS = {
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
"""As ``struct`` names them."""
_KINDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers from 0 up", "b": "booleans"}


def encode_data(array: np.ndarray) -> Any:
    """A tensor's data, flat, ready for orjson with OPT_SERIALIZE_NUMPY."""
    flat = array.ravel()
    return flat.tolist() if flat.dtype == object else flat


def decode_data(spec: TensorSpec, shape: tuple[int, ...], data: list[Any]) -> np.ndarray:
    """Reads a tensor's data, which may be flat or nested as its shape says.

    Args:
        shape: a checked one.

    Raises:
        BadRequestError: naming the tensor, what was expected, and what came.
    """
    expected = count_elements(spec, shape)
    packed = _packed(spec, shape, expected, data)
    if packed is not None:
        return packed
    try:
        array = _strings(spec, data) if spec.datatype == "BYTES" else _numbers(spec, data)
    except (ValueError, OverflowError):
        raise wrong_input(spec, "data: expected rows of one length, got a ragged array") from None
    if array.size and array.ndim != 1 and array.shape != shape:
        raise wrong_input(
            spec, f"data: expected it flat or nested as {list(shape)}, got {list(array.shape)}"
        )
    if array.size != expected:
        raise wrong_input(
            spec,
            f"data: expected {expected} elements for the shape {list(shape)}, got {array.size}",
        )
    return array.reshape(shape)


def _packed(
    spec: TensorSpec, shape: tuple[int, ...], count: int, data: list[Any]
) -> np.ndarray | None:
    """Numbers of the right types and ranges, in half the time that numpy takes to find that out.

    None for all else, be it wrong or only rare: deeper nesting, nothing at all.
    """
    code = _FORMATS.get(spec.datatype)
    if code is None or not count:
        return None
    if data and type(data[0]) is list:
        data = _flat_rows(shape, data)
    # Packing would take a boolean for a number; a first one stands for all of them.
    if len(data) != count or type(data[0]) is bool:
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
    """The elements of nested data of two dimensions; none where the data are something else."""
    if len(shape) != 2 or len(rows) != shape[0]:
        return []
    if any(type(row) is not list or len(row) != shape[1] for row in rows):
        return []
    return list(chain.from_iterable(rows))


def _numbers(spec: TensorSpec, data: list[Any]) -> np.ndarray:
    """Numbers or booleans as an array of the tensor's type, whatever its shape."""
    array = np.array(data)
    target = spec.dtype
    if array.size == 0:
        return array.astype(target)
    kind = target.kind
    found = array.dtype.kind
    if kind == "f":
        if found == "O":
            array = _with_nulls(spec, array)
        elif found not in "fiu":
            raise wrong_input(spec, f"data: expected numbers, got {brief(_culprit(data))}")
        if array.dtype == target:
            return array
        try:
            with np.errstate(over="raise"):
                return array.astype(target)
        except FloatingPointError:
            raise wrong_input(
                spec, f"data: expected numbers within {spec.datatype}'s range, got larger ones"
            ) from None
    if kind == "b":
        if found != "b":
            raise wrong_input(spec, f"data: expected booleans, got {brief(_culprit(data))}")
        return array
    if found == "f":  # also what numpy makes of whole numbers below and above 2**63 together
        array = np.array(data, dtype=object)
        if any(type(value) is not int for value in array.flat):
            found = "O"
    if found not in "iuf":
        raise wrong_input(spec, f"data: expected {_KINDS[kind]}, got {brief(_culprit(data))}")
    if array.dtype != target:
        limits = np.iinfo(target)
        low, high = int(array.min()), int(array.max())
        if low < limits.min or high > limits.max:
            value = low if low < limits.min else high
            raise wrong_input(
                spec, f"data: expected numbers from {limits.min} to {limits.max}, got {value}"
            )
        array = array.astype(target)
    return array


def _with_nulls(spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    """Numbers among which are nulls, those as NaN."""
    for value in array.flat:
        if value is not None and type(value) is not float and type(value) is not int:
            raise wrong_input(spec, f"data: expected numbers, got {brief(value)}")
    return array.astype(np.float64)


def _strings(spec: TensorSpec, data: list[Any]) -> np.ndarray:
    array = np.array(data, dtype=object)
    for value in array.reshape(-1).tolist():
        if type(value) is not str:
            raise wrong_input(spec, f"data: expected strings, got {brief(value)}")
    return array


def _culprit(data: list[Any]) -> Any:
    """An element to show in a message: the first that is no number, else no whole one, or any."""
    elements = np.array(data, dtype=object).reshape(-1).tolist()
    return next(
        value
        for kinds in ((int, float), (int,), ())
        for value in elements
        if type(value) not in kinds
    )
