"""Read enough of an ONNX file to find out whether its weights are in other files.

An ONNX model is a protobuf message. Only tags and lengths are read, never the weights.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5
_DATA_LOCATION = 14
_EXTERNAL = 1

# Message type -> field number -> type of the messages in it: the paths to a TensorProto.
_PATHS = {
    "Model": {7: "Graph", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Function": {7: "Node"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
}


def has_external_data(path: Path) -> bool:
    """Return whether the data of a tensor is in another file; False if it is not ONNX."""
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _external(data, "Model", 0, len(data))
        except (IndexError, ValueError):
            return False


def _external(data: mmap.mmap, kind: str, start: int, end: int) -> bool:
    paths = _PATHS.get(kind, {})
    for field, wire, first, last in _fields(data, start, end):
        if kind == "Tensor":
            if field == _DATA_LOCATION and wire == _VARINT and data[first] == _EXTERNAL:
                return True
        elif wire == _LEN and field in paths and _external(data, paths[field], first, last):
            return True
    return False


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield field number, wire type, start and end of the value of each field."""
    position = start
    while position < end:
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == _LEN:
            length, position = _varint(data, position)
            after = position + length
        elif wire == _VARINT:
            _, after = _varint(data, position)
        elif wire in (_I64, _I32):
            after = position + (8 if wire == _I64 else 4)
        else:
            raise ValueError(f"expected wire type 0, 1, 2 or 5, got {wire}")
        if after > end:
            raise ValueError("expected the value to end inside its message")
        yield tag >> 3, wire, position, after
        position = after


def _varint(data: mmap.mmap, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("expected a number of at most ten bytes")
