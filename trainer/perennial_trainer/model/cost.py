"""What a model costs to serve: how long a row takes, and how large the file is."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from perennial_contracts.api.search import Budget

from ..data.features import Feature, tensors
from .sessions import open_session
from .timing import p95, side_by_side, spread


@dataclass(frozen=True)
class Cost:
    """As ONNX, on this machine: processor time of one thread."""

    p95_microseconds: float
    """Of one row."""
    size_bytes: int

    def excess(self, budget: Budget) -> str:
        """What is beyond the budget, for people; empty where nothing is."""
        beyond = []
        if budget.p95Microseconds is not None and self.p95_microseconds > budget.p95Microseconds:
            beyond.append(f"{self.p95_microseconds:.0f} µs at p95 of {budget.p95Microseconds:,}")
        if budget.size is not None and self.size_bytes > budget.size:
            beyond.append(f"{self.size_bytes:,} bytes of {budget.size:,}")
        return " and ".join(beyond)


def measure(onnx_bytes: bytes, frame: pd.DataFrame, features: Sequence[Feature]) -> Cost:
    """Asks a model single rows.

    Args:
        onnx_bytes: the file.
        frame: clean rows, of which some are asked.
        features: the model's inputs.

    Raises:
        Exception: whatever ONNX Runtime raises for a model or rows that it refuses.
    """
    session = open_session(onnx_bytes)
    rows = [tensors(frame.iloc[[place]], features) for place in spread(len(frame))]
    (taken,) = side_by_side([lambda row: session.run(None, row)], rows)
    return Cost(p95(taken), len(onnx_bytes))
