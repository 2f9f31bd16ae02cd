"""Add up the counters of a model's pods over a window, across pods and restarts.

Pods count from their start on and never reset. A window is the difference between two readings. The
sums are exact if every pod is read once before it ends.
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
    """Labels that were posted since ``start``."""

    start: datetime
    labels: int = 0
    matrix: tuple[Counts, ...] = ()
    scores: tuple[Counts, ...] = ()


@dataclass(frozen=True)
class JudgedWindows:
    """The windows that a decision has judged. Each is closed once that is recorded."""

    predictions: bool = False
    labels: bool = False


@dataclass(frozen=True)
class Observation:
    """The known traffic of one model at one moment."""

    digest: str
    """Digest of the model that was counted."""
    profile: Profile | None
    """Profile in the model's bundle; None if there is none or it was not read yet."""
    predictions: PredictionWindow
    labels: LabelWindow
    problem: str = ""
    """Cause of the last failed reading; empty if all pods were read."""
    has_profile: bool | None = None
    """None until a pod was read."""
    capture_problem: str = ""
    """Cause that a pod reported for not writing captured rows."""
    last: dict[str, Counters] = field(default_factory=dict)
    """Last reading of each process."""

    @classmethod
    def begin(cls, digest: str, now: datetime) -> "Observation":
        """Return an observation without readings."""
        return cls(digest, None, PredictionWindow(now), LabelWindow(now))

    def add(self, readings: Iterable[Counters]) -> "Observation":
        """Return the observation with new readings. Those of other models are ignored.

        The very first readings only set the base: it is unknown how old their counts are.
        A process that appears later has just started, and everything it has counted is recent.
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
    """Return ``so_far + counts - before``, with zeros for missing counts."""
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
