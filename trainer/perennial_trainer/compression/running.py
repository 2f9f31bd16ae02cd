"""Running ONNX models on rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from ..model.sessions import FATAL, open_session
from .samples import Feeds, count, take

CHUNK = 1024


class Session:
    """A model that is loaded on one thread of the CPU."""

    def __init__(self, data: bytes) -> None:
        """Loads.

        Raises:
            onnx_model.ERRORS: where ONNX Runtime refuses the model.
        """
        self._session = open_session(data, log_severity=FATAL)
        self.outputs = [output.name for output in self._session.get_outputs()]
        self.signature = [
            (value.name, value.type, len(value.shape))
            for value in (*self._session.get_inputs(), *self._session.get_outputs())
        ]
        """Name, type and rank of each input and each output."""
        fixed = [value.shape[0] for value in self._session.get_inputs() if value.shape]
        self.fixed_rows = next((extent for extent in fixed if isinstance(extent, int)), None)
        """How many rows it takes at once, where it does not take any number."""

    def call(self, feeds: Feeds) -> list[Any]:
        """The outputs for rows that fit into one call, as they come."""
        return list(self._session.run(None, dict(feeds)))

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """The outputs for any number of rows, by name.

        Raises:
            ValueError: where the model takes a fixed number of rows that does not divide theirs,
                or an output is no tensor with the rows as its first dimension.
        """
        rows, size = count(feeds), self.fixed_rows or CHUNK
        if self.fixed_rows and rows % self.fixed_rows:
            raise ValueError(
                f"the model takes {self.fixed_rows} rows at once, which do not divide {rows} rows"
            )
        parts = [
            self.call(take(feeds, slice(start, start + size))) for start in range(0, rows, size)
        ]
        joined = {}
        for place, name in enumerate(self.outputs):
            pieces = [part[place] for part in parts]
            if not all(isinstance(piece, np.ndarray) and piece.ndim for piece in pieces):
                raise ValueError(
                    f"output {name}: expected a tensor with the rows as its first "
                    f"dimension, got {type(pieces[0]).__name__}"
                )
            joined[name] = np.concatenate(pieces)
        return joined


def run_to(model: onnx.ModelProto, tensors: Sequence[str], feeds: Feeds) -> list[np.ndarray]:
    """The values of some tensors inside a model, for rows."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in tensors)
    outputs = Session(probe.SerializeToString()).run(feeds)
    return [outputs[name] for name in tensors]
