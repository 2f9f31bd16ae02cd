"""Responses of the Open Inference Protocol v2 over REST, written piece by piece. No I/O.

What comes before an output's data depends on its name, type and shape only. It is kept, so that
each response has only its data to write.
"""

from collections.abc import Sequence

import numpy as np
import orjson

from ...signature import TensorSpec
from ..shared.tensor_binary import encode_binary
from .tensor_json import encode_data

_REMEMBERED = 256


class ResponseWriter:
    """Writes the responses of one model."""

    def __init__(self, name: str, version: str, outputs: Sequence[TensorSpec]) -> None:
        self._head = orjson.dumps({"model_name": name, "model_version": version})[:-1]
        self._datatypes = {tensor.name: tensor.datatype for tensor in outputs}
        self._described: dict[tuple[str, tuple[int, ...], bool], bytes] = {}

    def write(
        self,
        identity: str | None,
        names: Sequence[str],
        results: Sequence[np.ndarray],
        binary: Sequence[bool] | None = None,
    ) -> tuple[bytes, int | None]:
        """The body, and the length of its JSON head.

        The length is None where no binary tensors follow the head, and the body is all JSON.

        Args:
            names: of the outputs, each with its result.
            binary: which of them follow the head; None: none.
        """
        parts = [self._head]
        if identity is not None:
            parts += (b',"id":', orjson.dumps(identity))
        tail: list[bytes] = []
        before = b',"outputs":['
        for place, (name, values) in enumerate(zip(names, results, strict=True)):
            parts += (before, self._description(name, values))
            before = b"},"
            if binary is None or not binary[place]:
                data = orjson.dumps(encode_data(values), option=orjson.OPT_SERIALIZE_NUMPY)
                parts += (b',"data":', data)
            else:
                data = encode_binary(values)
                parts.append(b',"parameters":{"binary_data_size":%d}' % len(data))
                tail.append(data)
        parts.append(b"}]}")
        head = b"".join(parts)
        return (b"".join((head, *tail)), len(head)) if tail else (head, None)

    def _description(self, name: str, values: np.ndarray) -> bytes:
        """The object of one output, but for its data and its end."""
        is_text = values.dtype.hasobject  # also where numbers were made texts
        key = name, values.shape, is_text
        found = self._described.get(key)
        if found is None:
            datatype = "BYTES" if is_text else self._datatypes[name]
            if len(self._described) >= _REMEMBERED:
                self._described.clear()
            whole = {"name": name, "datatype": datatype, "shape": values.shape}
            found = self._described[key] = orjson.dumps(whole)[:-1]
        return found
