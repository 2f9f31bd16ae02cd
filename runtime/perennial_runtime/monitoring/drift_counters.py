"""Counts of what a model was asked and answered, over the bins of its profile.

Requests are set aside and counted many at a time: counting one row costs as much as counting
hundreds. Of requests of one row the bare values are set aside: to join hundreds of arrays of one
value costs more than to count them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from perennial_contracts.wire.profile import Distribution, Profile

from ..classes import Classes

BULK_ROWS = 512
"""Set-aside rows from which on they are counted; also a bound on what is kept in memory."""


class Batch(NamedTuple):
    """The rows of one request with their answers."""

    rows: int
    features: Mapping[str, np.ndarray]
    """By name, each of shape (rows,) or (rows, 1)."""
    label: np.ndarray | None
    probabilities: np.ndarray | None
    """Shape (rows, classes)."""
    numbers: np.ndarray | None = None
    """What a model of numbers predicted, of shape (rows,) or (rows, 1)."""
    row: tuple[Any, ...] | None = None
    """In place of ``features`` the bare values of a request of one row, of all the model's inputs
    in order: they take less room than arrays, and are sooner made columns of."""


@dataclass(frozen=True)
class DriftCounts:
    """Everything counted so far."""

    rows: int
    features: dict[str, list[int]]
    score: list[int] | None
    label: list[int] | None


@dataclass
class _Pending:
    """What is set aside."""

    rows: int = 0
    single: list[list[Any]] = field(default_factory=list)
    """The values of each request of one row, in the order of the profile's features."""
    batches: list[Mapping[str, np.ndarray]] = field(default_factory=list)
    """The features of each other request."""
    labels: list[Any] = field(default_factory=list)
    probabilities: list[Any] = field(default_factory=list)
    numbers: list[np.ndarray] = field(default_factory=list)


class DriftCounters:
    """The counters of one process. May be used from several threads at once."""

    def __init__(
        self, profile: Profile | None, classes: Classes | None, inputs: Sequence[str] = ()
    ) -> None:
        """``inputs`` are the names of the model's, for rows of bare values."""
        self._classes = classes
        self._features = profile.features if profile else []
        self._score = profile.score if profile else None
        self._label = profile.label if profile else None
        self._is_profiled = profile is not None
        self._lock = Lock()
        self._rows = 0
        self._names = [feature.name for feature in self._features]
        self._places = [inputs.index(name) for name in self._names if name in inputs]
        self._pending = _Pending()
        self._counts = {feature.name: _zeros(feature) for feature in self._features}
        self._score_counts = _zeros(self._score)
        self._label_counts = _zeros(self._label)

    def add_rows(self, rows: int) -> None:
        """Counts rows of which no more is known than that they were predicted."""
        with self._lock:
            self._rows += rows

    def add(self, batch: Batch) -> None:
        """Counts a request. The arrays must not change afterwards."""
        with self._lock:
            self._rows += batch.rows
            if not self._is_profiled:
                return
            pending = self._pending
            pending.rows += batch.rows
            if batch.row is not None:
                pending.single.append([batch.row[place] for place in self._places])
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
        """All that was added so far, exactly."""
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
