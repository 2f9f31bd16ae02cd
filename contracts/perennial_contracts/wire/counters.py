"""Counters of a serving pod: the response of ``GET /v2/models/M/counters``.

They count from the start of the pod: no number decreases while ``instance`` stays the same.
"""

from collections.abc import Iterable
from functools import reduce

from pydantic import BaseModel, ConfigDict

Counts = list[int]


class CaptureCounts(BaseModel):
    """Captured rows by result."""

    model_config = ConfigDict(extra="ignore")

    written: int = 0
    dropped: int = 0
    """Rows never written because the queue was full or the store rejected them."""
    problem: str = ""
    """Error of the last write; empty if it succeeded."""


class Counters(BaseModel):
    """The counters of one pod."""

    model_config = ConfigDict(extra="ignore")

    instance: str
    """Identifier of the counting process or group; a new one starts from zero."""
    digest: str
    """Digest of the served model."""
    rows: int = 0
    """Number of predicted rows."""
    features: dict[str, Counts] = {}
    """Counts by feature over the bins of the profile."""
    score: Counts | None = None
    label: Counts | None = None
    labels: int = 0
    """Number of labels received for predictions of this model."""
    matrix: list[Counts] = []
    """Shape (classes, classes): row is the prediction, column the label, in the bundle's order."""
    scores: list[Counts] = []
    """Shape (2, SCORE_BINS): scores of rows whose label is not, and is, the positive class."""
    capture: CaptureCounts | None = None
    """None if capture is off."""


def merged(parts: Iterable[Counters]) -> Counters:
    """Return the sum of the counters of several processes of one instance and model.

    The sum is associative and commutative. Counts missing from one part count as zeros.

    Raises:
        ValueError: if there are no parts, or their models, instances or bins differ.
    """
    parts = list(parts)
    if not parts:
        raise ValueError("counters: expected at least one")
    return reduce(_plus, parts)


def _plus(one: Counters, other: Counters) -> Counters:
    if (one.instance, one.digest) != (other.instance, other.digest):
        raise ValueError(
            f"counters: expected those of {one.instance} for {one.digest}, "
            f"got those of {other.instance} for {other.digest}"
        )
    names = one.features | other.features
    return Counters(
        instance=one.instance,
        digest=one.digest,
        rows=one.rows + other.rows,
        features={
            name: _sums(one.features.get(name), other.features.get(name)) or [] for name in names
        },
        score=_sums(one.score, other.score),
        label=_sums(one.label, other.label),
        labels=one.labels + other.labels,
        matrix=_row_sums(one.matrix, other.matrix),
        scores=_row_sums(one.scores, other.scores),
        capture=_captured(one.capture, other.capture),
    )


def _sums(one: Counts | None, other: Counts | None) -> Counts | None:
    if one is None or other is None:
        return one if other is None else other
    return [a + b for a, b in zip(one, other, strict=True)]


def _row_sums(one: list[Counts], other: list[Counts]) -> list[Counts]:
    if not one or not other:
        return one or other
    return [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(one, other, strict=True)]


def _captured(one: CaptureCounts | None, other: CaptureCounts | None) -> CaptureCounts | None:
    if one is None or other is None:
        return one if other is None else other
    return CaptureCounts(
        written=one.written + other.written,
        dropped=one.dropped + other.dropped,
        # One problem is enough to act on; the choice must not depend on the order.
        problem=max(one.problem, other.problem),
    )
