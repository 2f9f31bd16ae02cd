"""Nested lists of JSON to the tensor that a model declares."""

from itertools import chain
from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.elements import WrongElementError, elements
from ..shared.messages import brief
from .binary import read_texts


def read_tensor(spec: TensorSpec, data: Any) -> np.ndarray:
    """A tensor that fits; for one value a row, ``[1, 2]`` and ``[[1], [2]]`` are the same.

    Raises:
        BadRequestError: naming the tensor and the place, what was expected, and what came.
    """
    expected = spec.shape
    if spec.is_column:
        is_nested = type(data) is list and bool(data) and type(data[0]) is list
        expected = (-1, 1) if is_nested else (-1,)
    values, shape = _flattened(spec, expected, data)
    try:
        if spec.datatype == "BYTES" and dict in set(map(type, values)):
            values = read_texts(values)
        array = elements(spec.datatype, spec.dtype, values)
    except WrongElementError as error:
        if type(values[error.place]) is list:
            raise _misshapen(
                spec, f"a list in place of a value: {brief(values[error.place])}"
            ) from None
        place = [int(index) for index in np.unravel_index(error.place, shape)] if shape else ""
        raise _wrong(spec, f"{place}: {error}".removeprefix(": ")) from None
    return array.reshape(spec.shape if spec.is_column else shape)


def _flattened(
    spec: TensorSpec, expected: tuple[int, ...], data: Any
) -> tuple[list[Any], list[int]]:
    """The values in row-major order, and the shape that they were nested in."""
    values = [data]
    shape: list[int] = []
    for extent in expected:
        if not values:
            shape.append(max(extent, 0))
            continue
        if set(map(type, values)) != {list}:
            culprit = next(value for value in values if type(value) is not list)
            raise _misshapen(spec, f"{brief(culprit)} in place of a list in dimension {len(shape)}")
        lengths = set(map(len, values))
        if len(lengths) > 1:
            raise _misshapen(spec, f"lists of {min(lengths)} and of {max(lengths)} values")
        (length,) = lengths
        if extent not in (-1, length):
            raise _misshapen(spec, f"{length} values in dimension {len(shape)}")
        shape.append(length)
        values = list(chain.from_iterable(values))
    return values, shape


def _misshapen(spec: TensorSpec, problem: str) -> BadRequestError:
    return _wrong(
        spec,
        f"expected lists nested as the shape {list(spec.shape)} says (-1: any extent), "
        f"got {problem}",
    )


def _wrong(spec: TensorSpec, problem: str) -> BadRequestError:
    return BadRequestError(f"input {spec.name!r}: {problem}")
