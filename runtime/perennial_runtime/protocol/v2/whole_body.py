"""A body that is one tensor and nothing else: no name, no shape. No I/O."""

import numpy as np

from ...signature import TensorSpec
from ..shared.infer_request import wrong_input
from ..shared.tensor_binary import decode_binary, decode_texts


def decode_whole(spec: TensorSpec, body: bytes | memoryview) -> np.ndarray:
    """Reads the tensor. A string is one element, without its length before it.

    Raises:
        BadRequestError: naming the tensor, what was expected, and what came.
    """
    shape = _shape(spec, len(body))
    if spec.datatype == "BYTES":
        return decode_texts(spec, shape, [body])
    return decode_binary(spec, shape, body, 0, len(body))


def _shape(spec: TensorSpec, size: int) -> tuple[int, ...]:
    """The shape of an input that is sent without one.

    A string is one element; the free dimension of numbers is as long as their size says.
    """
    free = spec.shape.count(-1)
    if spec.datatype == "BYTES":
        if any(extent not in (-1, 1) for extent in spec.shape):
            raise wrong_input(
                spec,
                "a body without a JSON head: expected an input of one string, but its shape is "
                f"{list(spec.shape)}. Send a head",
            )
        return (1,) * len(spec.shape)
    if free > 1:
        raise wrong_input(
            spec,
            "a body without a JSON head: expected an input with at most one free dimension, "
            f"but its shape is {list(spec.shape)}. Send a head",
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
