"""Binary data: tensors after the JSON head, or one tensor as the body. No I/O."""

from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.infer_request import wrong_input
from ..shared.layout import TensorSpan
from ..shared.messages import brief
from ..shared.tensor_binary import decode_binary, decode_texts
from .header import HEADER


class Tail:
    """The part of a body after the JSON head: the binary inputs, in their order."""

    def __init__(self, body: bytes | memoryview, start: int) -> None:
        self._body = body
        self._position = start
        self._left = len(body) - start
        self.spans: list[TensorSpan] = []
        """The tensors read so far, except those without bytes."""

    def tensor(self, spec: TensorSpec, shape: tuple[int, ...], size: Any) -> np.ndarray:
        """Read the next tensor.

        Args:
            shape: a checked shape.
            size: number of bytes, as the request has it.

        Raises:
            BadRequestError: if the body has fewer bytes, or the tensor needs another number.
        """
        if type(size) is not int or size < 0:
            raise wrong_input(
                spec, f"binary_data_size: expected a number of bytes, got {brief(size)}"
            )
        if size > self._left:
            raise wrong_input(
                spec,
                f"binary_data_size: expected at most the {self._left} bytes that are left after "
                f"the JSON head (the header {HEADER} has its length), got {size}",
            )
        array = decode_binary(spec, shape, self._body, self._position, size)
        if size:
            self.spans.append(TensorSpan(spec, shape, self._position, size))
            self._position += size
            self._left -= size
        return array

    def check_used(self) -> None:
        """Raise ``BadRequestError`` if bytes are left."""
        if self._left:
            raise BadRequestError(
                "body: expected as many bytes of binary data as the sum of all binary_data_size, "
                f"got {self._left} more"
            )


EMPTY = Tail(b"", 0)
"""The tail of all requests without one. It has no state that changes."""


def decode_whole(spec: TensorSpec, body: bytes | memoryview) -> np.ndarray:
    """Read a body that is one tensor, without a name or a shape.

    A string is one element, without its length before it.

    Raises:
        BadRequestError: with the tensor, and the expected and actual content.
    """
    shape = _shape(spec, len(body))
    if spec.datatype == "BYTES":
        return decode_texts(spec, shape, [body])
    return decode_binary(spec, shape, body, 0, len(body))


def _shape(spec: TensorSpec, size: int) -> tuple[int, ...]:
    """Return the shape of an input that the client sent without one.

    A string is one element. For numbers, their size gives the free dimension.
    """
    free = spec.shape.count(-1)
    if spec.datatype == "BYTES":
        if any(extent not in (-1, 1) for extent in spec.shape):
            raise wrong_input(
                spec,
                "a body without a JSON head: expected an input of one string, but its shape is "
                f"{list(spec.shape)}. Fix: send a JSON head",
            )
        return (1,) * len(spec.shape)
    if free > 1:
        raise wrong_input(
            spec,
            "a body without a JSON head: expected an input with at most one free dimension, "
            f"but its shape is {list(spec.shape)}. Fix: send a JSON head",
        )
    row = spec.dtype.itemsize
    for extent in spec.shape:
        row *= extent if extent >= 0 else 1
    if free and (row == 0 or size % row):
        raise wrong_input(
            spec,
            f"data: expected a multiple of {row} bytes for the shape {list(spec.shape)}, "
            f"got {size}",
        )
    return tuple(extent if extent >= 0 else size // row for extent in spec.shape)
