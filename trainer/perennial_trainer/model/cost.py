"""What a model costs to serve: how long a row takes, and how large the file is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial_contracts.searching import Budget

from .features import Feature, tensors
from .sessions import open_session

WARM_UP = 20
RUNS = 200
SAMPLE = 20
"""Different rows that are asked in turn: trees take more or less long by the row."""


@dataclass(frozen=True)
class Cost:
    """As ONNX, on this machine, with one thread."""

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


def measure(
    onnx_bytes: bytes, frame: pd.DataFrame, features: Sequence[Feature], *, runs: int = RUNS
) -> Cost:
    """Asks a model single rows.

    Args:
        onnx_bytes: the file.
        frame: clean rows, of which some are asked.
        features: the model's inputs.
        runs: how many rows are asked after the warm-up.

    Raises:
        Exception: whatever ONNX Runtime raises for a model or rows that it refuses.
    """
    session = open_session(onnx_bytes)
    places = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), SAMPLE)).astype(int))
    rows = [tensors(frame.iloc[place : place + 1], features) for place in places]
    seconds = np.empty(runs)
    for turn in range(-WARM_UP, runs):
        row = rows[turn % len(rows)]
        begun = time.perf_counter()
        session.run(None, row)
        if turn >= 0:
            seconds[turn] = time.perf_counter() - begun
    return Cost(round(float(np.percentile(seconds, 95)) * 1e6, 1), len(onnx_bytes))
