"""ModelInferResponses, written byte by byte: half the time of building messages of so few fields.

The tests hold what is written against protobuf's own reading.
"""

from collections.abc import Iterable

import numpy as np

from ..shared.protobuf import to_bytes, varint
from ..shared.tensor_binary import encode_binary
from .schema import message_class

_Response = message_class("inference.ModelInferResponse")

_ID = b"\x1a"
_RAW = b"\x32"
"""Tags of fields 3 and 6, with lengths: ``(number << 3) | 2``."""

_REMEMBERED = 256


class ResponseWriter:
    """Writes the responses of one model."""

    def __init__(self, name: str, version: str) -> None:
        self._head = to_bytes(_Response(model_name=name, model_version=version))
        self._described: dict[tuple[str, str, tuple[int, ...]], bytes] = {}

    def write(self, identity: str | None, outputs: Iterable[tuple[str, str, np.ndarray]]) -> bytes:
        """A response; outputs are name, datatype and array."""
        parts = [self._head]
        if identity:
            data = identity.encode()
            parts += (_ID, varint(len(data)), data)
        raw: list[bytes] = []
        for name, datatype, array in outputs:
            parts.append(self._description(name, datatype, array.shape))
            data = encode_binary(array)
            raw += (_RAW, varint(len(data)), data)
        return b"".join(parts + raw)

    def _description(self, name: str, datatype: str, shape: tuple[int, ...]) -> bytes:
        """The field ``outputs`` for one of them."""
        key = (name, datatype, shape)
        found = self._described.get(key)
        if found is None:
            output = _Response.InferOutputTensor(name=name, datatype=datatype, shape=shape)
            found = to_bytes(_Response(outputs=[output]))
            if len(self._described) >= _REMEMBERED:
                self._described.clear()
            self._described[key] = found
        return found
