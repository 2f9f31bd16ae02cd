"""Values of JSON to an array of one element type. No I/O.

``null`` is a missing value: NaN among numbers, the empty text among strings.
"""

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
TYPES: dict[str, set[type]] = {
    "f": {float, int, type(None)},
    "i": {int},
    "u": {int},
    "b": {bool},
    "O": {str, type(None)},
}
"""Types of JSON values by the kind of the array that they go into."""


class WrongElementError(ValueError):
    """A value that does not fit; says what was expected and what came, not where."""

    def __init__(self, place: int, problem: str) -> None:
        super().__init__(problem)
        self.place = place
        """Its index among the values."""


def elements(datatype: str, dtype: np.dtype, values: list[Any]) -> np.ndarray:
    """An array of shape (values,).

    Args:
        datatype: the name of ``dtype`` in messages.

    Raises:
        WrongElementError: for the first value of a wrong type, or out of the type's range.
    """
    kind = dtype.kind
    types = set(map(type, values))
    if not types <= TYPES[kind]:
        raise _of_wrong_type(datatype, kind, values)
    if kind == "O":
        texts = [value or "" for value in values] if type(None) in types else values
        return np.array(texts, object)
    try:
        if kind == "f":
            with np.errstate(over="raise"):
                return np.array(values, dtype)  # None becomes NaN
        return np.array(values, dtype)
    except (OverflowError, FloatingPointError):
        raise _out_of_range(datatype, dtype, values) from None


def _of_wrong_type(datatype: str, kind: str, values: list[Any]) -> WrongElementError:
    place = next(place for place, value in enumerate(values) if type(value) not in TYPES[kind])
    value = values[place]
    if value is None:
        return WrongElementError(
            place,
            f"expected {EXPECTED[kind]}, got nothing. {datatype} inputs have no "
            "missing values: fill one in, or make the model with a float input",
        )
    return WrongElementError(place, f"expected {EXPECTED[kind]}, got {brief(value)}")


def _out_of_range(datatype: str, dtype: np.dtype, values: list[Any]) -> WrongElementError:
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    low, high = np.array([limits.min, limits.max], dtype).tolist()
    infinite = (None, float("inf"), float("-inf"))
    place = next(
        place
        for place, value in enumerate(values)
        if value not in infinite and value == value and not low <= value <= high
    )
    return WrongElementError(
        place,
        f"expected {EXPECTED[dtype.kind]} within {datatype}'s range, got {brief(values[place])}",
    )
