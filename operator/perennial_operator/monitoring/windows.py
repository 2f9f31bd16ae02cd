"""What the pods of one model have counted since a moment, added up over pods and restarts.

Pods count from their start and never look back; a window is what they have counted more than
before. The sums are exact as long as every pod is read once before it ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from perennial_contracts.wire.counters import Counters
from perennial_contracts.wire.profile import Profile

Counts = tuple[int, ...]


@dataclass(frozen=True)
class PredictionWindow:
    """Predictions since ``start``."""

    start: datetime
    rows: int = 0
    features: dict[str, Counts] = field(default_factory=dict)
    score: Counts = ()
    label: Counts = ()


@dataclass(frozen=True)
class LabelWindow:
    """Labels that came back since ``start``."""

    start: datetime
    labels: int = 0
    matrix: tuple[Counts, ...] = ()
    scores: tuple[Counts, ...] = ()


@dataclass(frozen=True)
class JudgedWindows:
    """The windows that a decision has judged. Each is closed once the result is recorded."""

    predictions: bool = False
    labels: bool = False


@dataclass(frozen=True)
class Observation:
    """What is known of one model's traffic at one moment."""

    digest: str
    """The model that was counted for."""
    profile: Profile | None
    """Of that model's bundle; None where it has none, or was not read yet."""
    predictions: PredictionWindow
    labels: LabelWindow
    problem: str = ""
    """Why the last reading of a pod failed; empty where all were read."""
    has_profile: bool | None = None
    """None until a pod has told."""
    capture_problem: str = ""
    """What a pod said of why it cannot write captured rows."""
    last: dict[str, Counters] = field(default_factory=dict)
    """The last reading of each process."""

    @classmethod
    def begin(cls, digest: str, now: datetime) -> "Observation":
        return cls(digest, None, PredictionWindow(now), LabelWindow(now))

    def add(self, readings: Iterable[Counters]) -> "Observation":
        """With the pods' latest readings. Those of another model are left out.

        What a process had counted before it was read for the first time belongs to no window where
        nothing was read before at all: nobody knows how old it is. Later on a process that was not
        seen before has just started, and all that it has counted is of now.
        """
        predictions, labels, last = self.predictions, self.labels, dict(self.last)
        problem = ""
        for reading in readings:
            if reading.digest != self.digest:
                continue
            before = self.last.get(reading.instance)
            if before is None and self.last:
                before = Counters(instance=reading.instance, digest=self.digest)
            last[reading.instance] = reading
            if reading.capture and reading.capture.problem:
                problem = reading.capture.problem
            if before is None:
                continue
            predictions = replace(
                predictions,
                rows=predictions.rows + reading.rows - before.rows,
                features={
                    name: _grown(predictions.features.get(name, ()), counts, before.features, name)
                    for name, counts in reading.features.items()
                },
                score=_plus(predictions.score, reading.score, before.score),
                label=_plus(predictions.label, reading.label, before.label),
            )
            labels = replace(
                labels,
                labels=labels.labels + reading.labels - before.labels,
                matrix=_rows_plus(labels.matrix, reading.matrix, before.matrix),
                scores=_rows_plus(labels.scores, reading.scores, before.scores),
            )
        return replace(
            self, predictions=predictions, labels=labels, last=last, capture_problem=problem
        )

    def close(self, now: datetime, judged: JudgedWindows) -> "Observation":
        """Return the observation with new, empty windows in place of the judged ones."""
        return replace(
            self,
            predictions=PredictionWindow(now) if judged.predictions else self.predictions,
            labels=LabelWindow(now) if judged.labels else self.labels,
        )


def _grown(so_far: Counts, counts: list[int], before: dict[str, list[int]], name: str) -> Counts:
    return _plus(so_far, counts, before.get(name))


def _plus(so_far: Counts, counts: list[int] | None, before: list[int] | None) -> Counts:
    """``so_far + counts - before``, where what is missing counts as zeros."""
    if not counts:
        return so_far
    total = np.asarray(counts, np.int64)
    for sign, other in ((1, so_far), (-1, before)):
        if other is not None and len(other) == total.size:
            total = total + sign * np.asarray(other, np.int64)
    return tuple(total.tolist())


def _rows_plus(
    so_far: tuple[Counts, ...], counts: list[list[int]], before: list[list[int]]
) -> tuple[Counts, ...]:
    if not counts:
        return so_far
    none: list[tuple[int, ...] | None] = [None] * len(counts)
    old = list(so_far) if len(so_far) == len(counts) else none
    less = list(before) if len(before) == len(counts) else none
    return tuple(
        _plus(was or (), row, list(minus) if minus is not None else None)
        for was, row, minus in zip(old, counts, less, strict=True)
    )
