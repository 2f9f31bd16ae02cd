"""The cost of a model: its time for a row, and the size of its file."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from perennial_contracts.api.search import Budget

from ..data.features import Feature, tensors
from .sessions import open_session
from .timing import p95, side_by_side, spread


@dataclass(frozen=True)
class Cost:
    """The cost as ONNX on this machine, in processor time of one thread."""

    p95_microseconds: float
    """Time for one row."""
    size_bytes: int

    def excess(self, budget: Budget) -> str:
        """Describe the limits that are exceeded; empty if none is."""
        exceeded = []
        if budget.p95Microseconds is not None and self.p95_microseconds > budget.p95Microseconds:
            exceeded.append(f"{self.p95_microseconds:.0f} µs at p95 of {budget.p95Microseconds:,}")
        if budget.size is not None and self.size_bytes > budget.size:
            exceeded.append(f"{self.size_bytes:,} bytes of {budget.size:,}")
        return " and ".join(exceeded)


def measure_cost(onnx_bytes: bytes, frame: pd.DataFrame, features: Sequence[Feature]) -> Cost:
    """Run a model on single rows and measure its cost.

    Args:
        onnx_bytes: the ONNX file.
        frame: clean rows, of which some are used.
        features: the inputs of the model.

    Raises:
        Exception: the error of ONNX Runtime if it rejects the model or the rows.
    """
    session = open_session(onnx_bytes)
    rows = [tensors(frame.iloc[[index]], features) for index in spread(len(frame))]
    (times,) = side_by_side([lambda row: session.run(None, row)], rows)
    return Cost(p95(times), len(onnx_bytes))
