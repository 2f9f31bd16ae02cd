"""Tensors as bytes: little-endian, row-major, nothing between elements. No I/O.

An element of BYTES is its length, in 4 bytes, and that many bytes. ONNX Runtime's strings are
text: what is no UTF-8 is refused, because it would turn bytes into something else without a word.
"""

from collections.abc import Iterable

import numpy as np

from ...signature import TensorSpec
from .infer_request import count_elements, wrong_input

_LENGTH_BYTES = 4


def decode_binary(
    spec: TensorSpec, shape: tuple[int, ...], data: bytes | memoryview, start: int, size: int
) -> np.ndarray:
    """Reads one tensor. Numbers are not copied where they lie aligned in ``data``.

    Args:
        shape: a checked one.
        start: where in ``data`` the tensor begins.
        size: how many bytes it has, all of them within ``data``.

    Raises:
        BadRequestError: naming the tensor, what was expected, and what came.
    """
    count = count_elements(spec, shape)
    if spec.datatype == "BYTES":
        return _strings(spec, shape, count, data, start, size)
    dtype = spec.dtype
    expected = count * dtype.itemsize
    if size != expected:
        raise wrong_input(
            spec,
            f"data: expected {expected} bytes for {spec.datatype} of shape {list(shape)}, "
            f"got {size}",
        )
    if not count:
        return np.empty(shape, dtype)
    array = np.frombuffer(data, dtype, count, start)
    if dtype.kind == "b" and array.view(np.uint8).max() > 1:
        raise wrong_input(spec, "data: expected a byte of 0 or 1 for each BOOL, got others")
    # Compiled loops over numbers that straddle their boundaries may crash.
    return (array if array.flags.aligned else array.copy()).reshape(shape)


def encode_binary(array: np.ndarray) -> bytes:
    """The bytes of one tensor; strings are those of an object array."""
    if array.dtype != object:
        return array.tobytes()
    parts: list[bytes] = []
    for value in array.flat:
        data = value.encode()
        parts.append(len(data).to_bytes(_LENGTH_BYTES, "little"))
        parts.append(data)
    return b"".join(parts)


def decode_texts(
    spec: TensorSpec, shape: tuple[int, ...], elements: Iterable[bytes | memoryview]
) -> np.ndarray:
    """Elements of BYTES, as many as the shape has, as the strings of an object array.

    Raises:
        BadRequestError: where one is no UTF-8.
    """
    array = np.empty(shape, object)
    texts = []
    try:
        for element in elements:
            texts.append(str(element, "utf-8"))
    except UnicodeDecodeError as error:
        raise wrong_input(
            spec,
            f"data: expected UTF-8 (ONNX Runtime's strings are text), got element {len(texts)} "
            f"with the byte 0x{error.object[error.start]:02x} at {error.start}. "
            "Send raw bytes as UINT8, or as base64, to a model that takes them so",
        ) from None
    array.reshape(-1)[:] = texts
    return array


def _strings(
    spec: TensorSpec,
    shape: tuple[int, ...],
    count: int,
    data: bytes | memoryview,
    start: int,
    size: int,
) -> np.ndarray:
    if size < _LENGTH_BYTES * count:
        raise wrong_input(
            spec,
            f"data: expected {count} elements for the shape {list(shape)}, each of {_LENGTH_BYTES} "
            f"bytes of length and that many more, got {size} bytes in all",
        )
    end = start + size
    at = start
    elements: list[bytes | memoryview] = []
    for place in range(count):
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(data[begin - _LENGTH_BYTES : begin], "little")
        if begin > end or at > end:
            raise wrong_input(
                spec,
                f"data: expected element {place} of {count} to end within {size} bytes, got "
                f"{'no length' if begin > end else f'a length of {at - begin}'} "
                f"at {begin - _LENGTH_BYTES - start}",
            )
        elements.append(data[begin:at])
    if at != end:
        raise wrong_input(
            spec,
            f"data: expected {count} elements for the shape {list(shape)} in {at - start} bytes, "
            f"got {end - at} bytes more",
        )
    return decode_texts(spec, shape, elements)
