"""Run ONNX models on rows, and measure their size and time side by side."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from ..model import timing
from ..model.sessions import FATAL, open_session
from ..model.timing import ROUNDS, p50, p95, side_by_side
from .samples import Feeds, count, spread, take

CHUNK = 1024
BATCH_ROWS = 64


class Session:
    """A loaded model, which runs on one thread of the CPU."""

    def __init__(self, data: bytes) -> None:
        """Load a model.

        Raises:
            onnx_model.ERRORS: if ONNX Runtime rejects the model.
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
        """Number of rows of a call; None if the model accepts any number."""

    def call(self, feeds: Feeds) -> list[Any]:
        """Return the outputs for the rows of one call, in the order of the model."""
        return list(self._session.run(None, dict(feeds)))

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Return the outputs for any number of rows, by name.

        Raises:
            ValueError: if the number of rows is not a multiple of the model's fixed number, or an
                output is not a tensor with the rows as its first dimension.
        """
        rows, size = count(feeds), self.fixed_rows or CHUNK
        if self.fixed_rows and rows % self.fixed_rows:
            raise ValueError(
                f"the model accepts {self.fixed_rows} rows in a call, which do not divide "
                f"{rows} rows"
            )
        parts = [
            self.call(take(feeds, slice(start, start + size))) for start in range(0, rows, size)
        ]
        joined = {}
        for index, name in enumerate(self.outputs):
            pieces = [part[index] for part in parts]
            if not all(isinstance(piece, np.ndarray) and piece.ndim for piece in pieces):
                raise ValueError(
                    f"output {name}: expected a tensor with the rows as its first "
                    f"dimension, got {type(pieces[0]).__name__}"
                )
            joined[name] = np.concatenate(pieces)
        return joined


def run_to(model: onnx.ModelProto, tensors: Sequence[str], feeds: Feeds) -> list[np.ndarray]:
    """Return the values of some tensors inside a model, for rows."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in tensors)
    outputs = Session(probe.SerializeToString()).run(feeds)
    return [outputs[name] for name in tensors]


@dataclass(frozen=True)
class Footprint:
    """Size and processor time of a model, in microseconds on one thread."""

    size_bytes: int
    transfer_bytes: int
    """Size when compressed with gzip."""
    p50_microseconds: float
    """Median for one row."""
    p95_microseconds: float
    """95th percentile for one row."""
    batch_rows: int
    batch_p50_microseconds: float
    """Median for batch_rows rows in one call."""


def measure(models: Sequence[bytes], feeds: Feeds, rounds: int = ROUNDS) -> list[Footprint]:
    """Measure the size and the time of models.

    Args:
        models: ONNX files that accept these feeds.
        feeds: at least one row.
        rounds: number of rounds of timing.
    """
    sessions = [Session(model) for model in models]
    least = max(session.fixed_rows or 1 for session in sessions)
    fixed = any(session.fixed_rows for session in sessions)
    rows = [
        take(feeds, slice(start, start + least))
        for start in timing.spread(count(feeds) - least + 1)
    ]
    batch = rows[0] if fixed else spread(feeds, BATCH_ROWS)
    calls = [session.call for session in sessions]
    singles, batches = side_by_side(calls, rows, rounds), side_by_side(calls, [batch], rounds)
    return [
        Footprint(
            size_bytes=len(model),
            transfer_bytes=len(gzip.compress(model, 6, mtime=0)),
            p50_microseconds=p50(single),
            p95_microseconds=p95(single),
            batch_rows=count(batch),
            batch_p50_microseconds=p50(many),
        )
        for model, single, many in zip(models, singles, batches, strict=True)
    ]
