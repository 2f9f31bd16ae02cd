"""Counts of a model's inputs and outputs, over the bins of its drift profile.

Rows are collected and counted many at a time, because counting one row takes as long as counting
hundreds. From requests of one row the bare values are collected: joining hundreds of arrays with
one value takes longer than counting them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from perennial_contracts.wire.profile import Distribution, Profile

from ..classes import Classes

BULK_ROWS = 512
"""Number of collected rows that are counted together. It bounds the memory of uncounted rows."""


class Batch(NamedTuple):
    """The rows of one request with their predictions."""

    rows: int
    features: Mapping[str, np.ndarray]
    """Values by name, each of shape (rows,) or (rows, 1)."""
    label: np.ndarray | None
    probabilities: np.ndarray | None
    """Shape (rows, classes)."""
    numbers: np.ndarray | None = None
    """Predictions of a regression model, of shape (rows,) or (rows, 1)."""
    row: tuple[Any, ...] | None = None
    """Bare values of all inputs, in order, in place of ``features``.

    Used for requests of one row, because bare values need less memory than arrays and are joined
    faster.
    """


@dataclass(frozen=True)
class DriftCounts:
    """All counts so far."""

    rows: int
    features: dict[str, list[int]]
    score: list[int] | None
    label: list[int] | None


@dataclass
class _Pending:
    """Rows that are not counted yet."""

    rows: int = 0
    single: list[list[Any]] = field(default_factory=list)
    """Values of each request of one row, in the order of the profile's features."""
    batches: list[Mapping[str, np.ndarray]] = field(default_factory=list)
    """Features of each other request."""
    labels: list[Any] = field(default_factory=list)
    probabilities: list[Any] = field(default_factory=list)
    numbers: list[np.ndarray] = field(default_factory=list)


class DriftCounters:
    """The counters of one process. Thread-safe."""

    def __init__(
        self, profile: Profile | None, classes: Classes | None, inputs: Sequence[str] = ()
    ) -> None:
        """Start at zero. Rows of bare values need the names of all ``inputs``."""
        self._classes = classes
        self._features = profile.features if profile else []
        self._score = profile.score if profile else None
        self._label = profile.label if profile else None
        self._is_profiled = profile is not None
        self._lock = Lock()
        self._rows = 0
        self._names = [feature.name for feature in self._features]
        self._positions = [inputs.index(name) for name in self._names if name in inputs]
        self._pending = _Pending()
        self._counts = {feature.name: _zeros(feature) for feature in self._features}
        self._score_counts = _zeros(self._score)
        self._label_counts = _zeros(self._label)

    def add_rows(self, rows: int) -> None:
        """Count rows without their values."""
        with self._lock:
            self._rows += rows

    def add(self, batch: Batch) -> None:
        """Count the rows of a request. The arrays must not change afterwards."""
        with self._lock:
            self._rows += batch.rows
            if not self._is_profiled:
                return
            pending = self._pending
            pending.rows += batch.rows
            if batch.row is not None:
                pending.single.append([batch.row[position] for position in self._positions])
            elif batch.rows == 1:
                features = batch.features
                pending.single.append([features[name].item() for name in self._names])
            else:
                pending.batches.append(batch.features)
            pending.labels.append(batch.label)
            pending.probabilities.append(batch.probabilities)
            if batch.numbers is not None:
                pending.numbers.append(batch.numbers)
            if pending.rows >= BULK_ROWS:
                self._count()

    def read(self) -> DriftCounts:
        """Return the exact counts of all rows so far."""
        with self._lock:
            self._count()
            return DriftCounts(
                self._rows,
                {name: counts.tolist() for name, counts in self._counts.items()},
                self._score_counts.tolist() if self._score else None,
                self._label_counts.tolist() if self._label else None,
            )

    def _count(self) -> None:
        pending, self._pending = self._pending, _Pending()
        if not pending.rows:
            return
        columns = zip(*pending.single, strict=True)
        for name, feature, column in zip(self._names, self._features, columns, strict=False):
            self._counts[name] += feature.count(column)
        if pending.batches:
            for name, feature in zip(self._names, self._features, strict=True):
                values = _joined([features[name] for features in pending.batches])
                self._counts[name] += feature.count(values)
        if pending.numbers and self._score is not None:
            self._score_counts += self._score.count(_joined(pending.numbers))
        if self._classes is None:
            return
        if self._score is not None:
            probabilities = _joined(pending.probabilities)
            self._score_counts += self._score.count(self._classes.scores(probabilities))
        if self._label is not None:
            label = _joined(pending.labels)
            self._label_counts += self._label.count(self._classes.own(label))


def _joined(parts: list[Any]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _zeros(distribution: Distribution | None) -> np.ndarray:
    return np.zeros(distribution.bins if distribution else 0, np.int64)
