"""Responses of the v2 protocol, written in pieces. No I/O.

The part before an output's data depends only on its name, datatype and shape. The writer remembers
it, so that each response only has to write its data.
"""

from collections.abc import Sequence

import numpy as np
import orjson

from ...signature import TensorSpec
from ..shared.tensor_binary import encode_binary
from .tensor_json import encode_data

_MAX_REMEMBERED = 256


class V2ResponseWriter:
    """Writes the responses of one model."""

    def __init__(self, name: str, version: str, outputs: Sequence[TensorSpec]) -> None:
        self._head = orjson.dumps({"model_name": name, "model_version": version})[:-1]
        self._datatypes = {tensor.name: tensor.datatype for tensor in outputs}
        self._openings: dict[tuple[str, tuple[int, ...], bool], bytes] = {}

    def write(
        self,
        request_id: str | None,
        names: Sequence[str],
        results: Sequence[np.ndarray],
        binary: Sequence[bool] | None = None,
    ) -> tuple[bytes, int | None]:
        """Return the body, and the length of its JSON head.

        The length is None if the body is all JSON, without binary tensors.

        Args:
            names: names of the outputs, one for each result.
            binary: for each output, write it as binary data. None: no output.
        """
        parts = [self._head]
        if request_id is not None:
            parts += (b',"id":', orjson.dumps(request_id))
        tail: list[bytes] = []
        before = b',"outputs":['
        for index, (name, values) in enumerate(zip(names, results, strict=True)):
            parts += (before, self._opening(name, values))
            before = b"},"
            if binary is None or not binary[index]:
                data = orjson.dumps(encode_data(values), option=orjson.OPT_SERIALIZE_NUMPY)
                parts += (b',"data":', data)
            else:
                data = encode_binary(values)
                parts.append(b',"parameters":{"binary_data_size":%d}' % len(data))
                tail.append(data)
        parts.append(b"}]}")
        head = b"".join(parts)
        return (b"".join((head, *tail)), len(head)) if tail else (head, None)

    def _opening(self, name: str, values: np.ndarray) -> bytes:
        """Return the JSON object of one output, without its data and its end."""
        is_text = values.dtype.hasobject  # also numbers that were turned into text
        key = name, values.shape, is_text
        opening = self._openings.get(key)
        if opening is None:
            datatype = "BYTES" if is_text else self._datatypes[name]
            if len(self._openings) >= _MAX_REMEMBERED:
                self._openings.clear()
            fields = {"name": name, "datatype": datatype, "shape": values.shape}
            opening = self._openings[key] = orjson.dumps(fields)[:-1]
        return opening
