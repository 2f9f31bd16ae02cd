"""PredictResponses, encoded by hand.

That takes less time than protobuf, as the messages have few fields. The tests parse the bytes
with protobuf.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...signature import TensorSpec
from ..shared.protobuf import to_bytes, varint
from ..shared.tensorflow import DATA_TYPES
from .inputs import VALUE_FIELDS
from .model_spec import model_spec
from .schema import message_class

_Response = message_class("tensorflow.serving.PredictResponse")
_Tensor = message_class("tensorflow.TensorProto")

_KEY, _VALUE = b"\x0a", b"\x12"
"""Tags of the fields of a map's entry, and of ``outputs``: ``(number << 3) | 2``."""
_VALUES = {"FP32": b"\x2a", "FP64": b"\x32", "BOOL": b"\x5a"}
"""Tags of the fields whose packed values are the array's own bytes: 5, 6 and 11."""

_MAX_REMEMBERED = 256


class TfsResponseWriter:
    """Writes the responses of one model."""

    def __init__(self, name: str, outputs: Sequence[TensorSpec]) -> None:
        self._end = to_bytes(_Response(model_spec=model_spec(name)))
        self._outputs = {tensor.name: tensor for tensor in outputs}
        self._descriptions: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def write(self, outputs: Iterable[tuple[str, np.ndarray]]) -> bytes:
        """Return a response, with values in the fields of their types for clients."""
        parts: list[bytes] = []
        for name, array in outputs:
            spec = self._outputs[name]
            tensor = self._description(spec, array.shape) + _values(spec.datatype, array)
            key = name.encode()
            entry = b"".join((_KEY, varint(len(key)), key, _VALUE, varint(len(tensor)), tensor))
            parts += (_KEY, varint(len(entry)), entry)
        parts.append(self._end)
        return b"".join(parts)

    def _description(self, spec: TensorSpec, shape: tuple[int, ...]) -> bytes:
        """Return the fields with the type and the shape of an output."""
        key = (spec.name, shape)
        description = self._descriptions.get(key)
        if description is None:
            tensor = _Tensor(dtype=DATA_TYPES[spec.datatype])
            tensor.tensor_shape.SetInParent()
            for extent in shape:
                tensor.tensor_shape.dim.add(size=extent)
            description = to_bytes(tensor)
            if len(self._descriptions) >= _MAX_REMEMBERED:
                self._descriptions.clear()
            self._descriptions[key] = description
        return description


def _values(datatype: str, array: np.ndarray) -> bytes:
    """Return the field with the values, in row-major order."""
    if not array.size:
        return b""
    tag = _VALUES.get(datatype)
    if tag is not None:
        data = array.tobytes()
        return tag + varint(len(data)) + data
    values: list[Any]
    if datatype == "FP16":
        values = np.ascontiguousarray(array).view(np.uint16).reshape(-1).tolist()
    elif datatype == "BYTES":
        values = [text.encode() for text in array.reshape(-1).tolist()]
    else:
        values = array.reshape(-1).tolist()
    return to_bytes(_Tensor(**{VALUE_FIELDS[datatype]: values}))
