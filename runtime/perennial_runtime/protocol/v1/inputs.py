"""Values of v1 requests to inputs: nested lists, rows, and strings in base64."""

import base64
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import is_
from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.columns import Columns, Feeds
from ..shared.elements import WrongElementError, elements
from ..shared.infer_request import wrong_input
from ..shared.messages import brief

BASE64_SUFFIX = "_bytes"
"""TensorFlow Serving writes outputs of strings in base64 if their names end with this."""


def is_base64(value: Any) -> bool:
    """Return whether a value is ``{"b64": "..."}``, which stands for bytes."""
    return type(value) is dict and len(value) == 1 and type(value.get("b64")) is str


def read_base64(values: list[Any]) -> list[Any]:
    """Return the values with strings in place of ``{"b64": "..."}``.

    Raises:
        WrongElementError: for a value that is no base64, or no UTF-8: strings of ONNX models are
            text, so they cannot contain other bytes.
    """
    return [
        _decoded(index, value["b64"]) if is_base64(value) else value
        for index, value in enumerate(values)
    ]


def write_base64(values: Any) -> Any:
    """Return strings, nested in lists or not, as ``{"b64": "..."}``."""
    if type(values) is list:
        return [write_base64(value) for value in values]
    return {"b64": base64.b64encode(values.encode()).decode()}


def read_tensor(spec: TensorSpec, data: Any) -> np.ndarray:
    """Return the tensor in nested lists.

    For one value per row, ``[1, 2]`` and ``[[1], [2]]`` are the same.

    Raises:
        BadRequestError: with the tensor, the index, and the expected and actual value.
    """
    expected = spec.shape
    if spec.is_column:
        is_nested = type(data) is list and bool(data) and type(data[0]) is list
        expected = (-1, 1) if is_nested else (-1,)
    values, shape = _flattened(spec, expected, data)
    try:
        if spec.datatype == "BYTES" and dict in set(map(type, values)):
            values = read_base64(values)
        array = elements(spec.datatype, spec.dtype, values)
    except WrongElementError as error:
        if type(values[error.index]) is list:
            raise _wrong_nesting(
                spec, f"a list in place of a value: {brief(values[error.index])}"
            ) from None
        index = [int(i) for i in np.unravel_index(error.index, shape)] if shape else ""
        raise wrong_input(spec, f"{index}: {error}".removeprefix(": ")) from None
    return array.reshape(spec.shape if spec.is_column else shape)


class Table:
    """Reads rows for one tabular model.

    A value may be bare, alone in a list, or in base64.
    """

    def __init__(self, features: Sequence[TensorSpec]) -> None:
        self._columns = Columns(features)

    def of_objects(self, rows: Sequence[Any]) -> Feeds:
        """Convert ``{feature: value}`` for each row; see :meth:`Columns.of_objects`."""
        return _read(self._columns.of_objects, rows)

    def of_lists(self, rows: Sequence[Any]) -> Feeds:
        """Convert a list of values for each row; see :meth:`Columns.of_lists`."""
        return _read(self._columns.of_lists, rows)

    def of_columns(self, columns: Mapping[str, Any]) -> Feeds | None:
        """Convert a list of bare values for each feature, or return None.

        None if the lists differ in length or a value does not fit: :func:`read_tensor` accepts
        more forms, and has the better message.
        """
        if set(map(type, columns.values())) != {list} or len(set(map(len, columns.values()))) > 1:
            return None
        try:
            return self._columns.of_columns(columns)
        except BadRequestError:
            return None


def _decoded(index: int, encoded: str) -> str:
    try:
        # TensorFlow Serving, too, accepts base64 without the padding.
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except UnicodeDecodeError:
        problem = "expected base64 of UTF-8, as strings of ONNX models are text"
    except ValueError:
        problem = "expected base64"
    raise WrongElementError(index, f"b64: {problem}, got {brief(encoded)}")


def _flattened(
    spec: TensorSpec, expected: tuple[int, ...], data: Any
) -> tuple[list[Any], list[int]]:
    """Return the values in row-major order, and the shape of their nesting."""
    values = [data]
    shape: list[int] = []
    for extent in expected:
        if not values:
            shape.append(max(extent, 0))
            continue
        if set(map(type, values)) != {list}:
            wrong = next(value for value in values if type(value) is not list)
            raise _wrong_nesting(
                spec, f"{brief(wrong)} in place of a list in dimension {len(shape)}"
            )
        lengths = set(map(len, values))
        if len(lengths) > 1:
            raise _wrong_nesting(spec, f"lists of {min(lengths)} and of {max(lengths)} values")
        (length,) = lengths
        if extent not in (-1, length):
            raise _wrong_nesting(spec, f"{length} values in dimension {len(shape)}")
        shape.append(length)
        values = list(chain.from_iterable(values))
    return values, shape


def _wrong_nesting(spec: TensorSpec, problem: str) -> BadRequestError:
    return wrong_input(
        spec,
        f"expected lists nested in the shape {list(spec.shape)} (-1: any extent), got {problem}",
    )


def _read(read: Callable[[Sequence[Any]], Feeds], rows: Sequence[Any]) -> Feeds:
    try:
        return read(rows)  # most clients send bare values, so try without looking at each of them
    except BadRequestError:
        bare = [_bare_row(index, row) for index, row in enumerate(rows)]
        # Not ==, which recurses as deep as the lists in a hostile body are nested.
        if all(map(is_, bare, rows)):
            raise
        return read(bare)


def _bare_row(index: int, row: Any) -> Any:
    """Return the row with bare values; the same object if it has no other values."""
    if type(row) is dict:
        values = [_bare(index, name, value) for name, value in row.items()]
        return row if all(map(is_, values, row.values())) else dict(zip(row, values, strict=True))
    if type(row) is list:
        values = [_bare(index, column, value) for column, value in enumerate(row)]
        return row if all(map(is_, values, row)) else values
    return row


def _bare(row: int, feature: str | int, value: Any) -> Any:
    if type(value) is list and len(value) == 1:
        (value,) = value
    if not is_base64(value):
        return value
    try:
        return read_base64([value])[0]
    except WrongElementError as error:
        raise BadRequestError(f"row {row}: feature {feature!r}: {error}") from None
