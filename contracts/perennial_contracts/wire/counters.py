"""What a serving pod has counted since it started, as ``GET /v2/models/M/counters`` answers it.

Every number only ever grows while ``instance`` stays the same.
"""

from collections.abc import Iterable
from functools import reduce

from pydantic import BaseModel, ConfigDict

Counts = list[int]


class CaptureCounts(BaseModel):
    """Rows by what became of them."""

    model_config = ConfigDict(extra="ignore")

    written: int = 0
    dropped: int = 0
    """Never written: the queue was full, or the store did not take them."""
    problem: str = ""
    """Why the store did not take the last file; empty where it did."""


class Counters(BaseModel):
    """The counters of one pod."""

    model_config = ConfigDict(extra="ignore")

    instance: str
    """Names who counts, one process or several together: another one has counted from zero."""
    digest: str
    """Of the model that is served."""
    rows: int = 0
    """Predictions made."""
    features: dict[str, Counts] = {}
    """By feature, over the bins of the profile."""
    score: Counts | None = None
    label: Counts | None = None
    labels: int = 0
    """Labels that came back for predictions of this model."""
    matrix: list[Counts] = []
    """Shape (classes, classes): row is the prediction, column the truth, in the bundle's order."""
    scores: list[Counts] = []
    """Shape (2, SCORE_BINS): scores of rows whose truth is not, and is, the positive class."""
    capture: CaptureCounts | None = None
    """None where nothing is captured."""


def merged(parts: Iterable[Counters]) -> Counters:
    """What several processes have counted together, for one model under one name of instance.

    The order does not matter, nor whether some were merged before. What one of them does not have
    counts as zeros there.

    Raises:
        ValueError: where there is none, or they count for different models, instances or bins.
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
        # One of them is enough to act on; which one must not depend on the order.
        problem=max(one.problem, other.problem),
    )
