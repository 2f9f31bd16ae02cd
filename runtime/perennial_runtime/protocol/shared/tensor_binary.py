"""Tensors as bytes: little-endian, row-major, without gaps. No I/O.

An element of BYTES is its length, in 4 bytes, followed by that many bytes. ONNX Runtime's strings
are text: other bytes than UTF-8 are rejected, because ONNX Runtime would change them silently.
"""

from collections.abc import Iterable

import numpy as np

from ...signature import TensorSpec
from .infer_request import count_elements, wrong_input

_LENGTH_BYTES = 4


def decode_binary(
    spec: TensorSpec, shape: tuple[int, ...], data: bytes | memoryview, start: int, size: int
) -> np.ndarray:
    """Read one tensor. Numbers that are aligned in ``data`` are not copied.

    Args:
        shape: a checked shape.
        start: offset of the tensor in ``data``.
        size: number of bytes of the tensor, all of them within ``data``.

    Raises:
        BadRequestError: with the tensor, and the expected and actual content.
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
    # Compiled loops may crash on numbers that are not aligned.
    return (array if array.flags.aligned else array.copy()).reshape(shape)


def encode_binary(array: np.ndarray) -> bytes:
    """Return the bytes of one tensor. Strings are an object array."""
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
    """Return the elements of a BYTES tensor as an object array of strings.

    Raises:
        BadRequestError: if an element is no UTF-8.
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
            "Fix: send raw bytes as UINT8, or as base64, to a model that takes them so",
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
            f"data: expected {count} elements for the shape {list(shape)}, each with a length of "
            f"{_LENGTH_BYTES} bytes and its content, got {size} bytes in total",
        )
    end = start + size
    position = start
    elements: list[bytes | memoryview] = []
    for index in range(count):
        begin = position + _LENGTH_BYTES
        position = begin + int.from_bytes(data[begin - _LENGTH_BYTES : begin], "little")
        if begin > end or position > end:
            raise wrong_input(
                spec,
                f"data: expected element {index} of {count} to end within {size} bytes, got "
                f"{'no length' if begin > end else f'a length of {position - begin}'} "
                f"at {begin - _LENGTH_BYTES - start}",
            )
        elements.append(data[begin:position])
    if position != end:
        raise wrong_input(
            spec,
            f"data: expected {count} elements for the shape {list(shape)} in {position - start} "
            f"bytes, got {end - position} bytes more",
        )
    return decode_texts(spec, shape, elements)
