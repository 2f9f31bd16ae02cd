"""Values of JSON to an array of one datatype. No I/O.

``null`` is a missing value: NaN among numbers, the empty string among strings.
"""

import struct
from typing import Any

import numpy as np

from .messages import brief

EXPECTED = {
    "f": "a number",
    "i": "a whole number",
    "u": "a whole number from 0 up",
    "b": "a boolean",
    "O": "a string",
}
"""Expected value in messages, by the kind of the array."""
TYPES: dict[str, set[type]] = {
    "f": {float, int, type(None)},
    "i": {int},
    "u": {int},
    "b": {bool},
    "O": {str, type(None)},
}
"""Accepted types of JSON values, by the kind of the array."""

_FORMATS = {"FP16": "e", "FP32": "f", "FP64": "d"}
"""Format characters of ``struct``."""


class WrongElementError(ValueError):
    """A value that does not fit. The message has the expected and the actual value."""

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(problem)
        self.index = index
        """Index of the value in the list."""


def elements(datatype: str, dtype: np.dtype, values: list[Any]) -> np.ndarray:
    """Return an array of shape (values,), which may be read-only.

    Whole numbers may be written as ``150.0``, as tables write columns with gaps.

    Args:
        datatype: the name of ``dtype`` in messages.

    Raises:
        WrongElementError: for the first value of a wrong type, or out of the type's range.
    """
    kind = dtype.kind
    types = set(map(type, values))
    if not types <= TYPES[kind]:
        if float in types and kind in "iu":
            values = [_whole(value) for value in values]
            types = set(map(type, values))
        if not types <= TYPES[kind]:
            raise _of_wrong_type(datatype, kind, values)
    if kind == "O":
        texts = [value or "" for value in values] if type(None) in types else values
        return np.array(texts, object)
    try:
        if kind == "f":
            if values and type(None) not in types:
                # Half the time of np.array, which has no cheap check of the range.
                data = struct.pack(f"={len(values)}{_FORMATS[datatype]}", *values)
                return np.frombuffer(data, dtype)
            with np.errstate(over="raise"):
                return np.array(values, dtype)  # None becomes NaN
        return np.array(values, dtype)
    except (OverflowError, FloatingPointError, struct.error):
        raise _out_of_range(datatype, dtype, values) from None


def _whole(value: Any) -> Any:
    """Return a float without a fraction as an int, and all other values as they are.

    orjson reads whole numbers of more than 64 bits as floats and rounds them: those stay wrong.
    """
    is_whole = type(value) is float and value.is_integer() and -(2**63) < value < 2**64
    return int(value) if is_whole else value


def _of_wrong_type(datatype: str, kind: str, values: list[Any]) -> WrongElementError:
    index = next(index for index, value in enumerate(values) if type(value) not in TYPES[kind])
    value = values[index]
    if value is None:
        return WrongElementError(
            index,
            f"expected {EXPECTED[kind]}, got nothing. {datatype} inputs have no missing values. "
            "Fix: send a value, or train the model with a float input",
        )
    return WrongElementError(index, f"expected {EXPECTED[kind]}, got {brief(value)}")


def _out_of_range(datatype: str, dtype: np.dtype, values: list[Any]) -> WrongElementError:
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    low, high = np.array([limits.min, limits.max], dtype).tolist()
    infinite = (None, float("inf"), float("-inf"))
    index = next(
        index
        for index, value in enumerate(values)
        if value not in infinite and value == value and not low <= value <= high
    )
    return WrongElementError(
        index,
        f"expected {EXPECTED[dtype.kind]} within {datatype}'s range, got {brief(values[index])}",
    )
