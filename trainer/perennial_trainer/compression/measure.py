"""What models weigh and how long they take, side by side on this CPU."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass

from ..model import timing
from ..model.timing import ROUNDS, p50, p95, side_by_side
from .running import Session
from .samples import Feeds, count, spread, take

BATCH_ROWS = 64


@dataclass(frozen=True)
class Measured:
    """Size and time of a model. Times are microseconds of processor time on one thread."""

    size_bytes: int
    transfer_bytes: int
    """Gzipped."""
    p50_microseconds: float
    p95_microseconds: float
    """Of one row."""
    batch_rows: int
    batch_p50_microseconds: float
    """Of batch_rows rows together."""


def measure(models: Sequence[bytes], feeds: Feeds, rounds: int = ROUNDS) -> list[Measured]:
    """Weighs and times models.

    Args:
        models: ONNX files that take these feeds.
        feeds: at least one row.
        rounds: how many.
    """
    sessions = [Session(model) for model in models]
    least = max(session.fixed_rows or 1 for session in sessions)
    fixed = any(session.fixed_rows for session in sessions)
    rows = [
        take(feeds, slice(place, place + least))
        for place in timing.spread(count(feeds) - least + 1)
    ]
    batch = rows[0] if fixed else spread(feeds, BATCH_ROWS)
    calls = [session.call for session in sessions]
    singles, batches = side_by_side(calls, rows, rounds), side_by_side(calls, [batch], rounds)
    return [
        Measured(
            size_bytes=len(model),
            transfer_bytes=len(gzip.compress(model, 6, mtime=0)),
            p50_microseconds=p50(single),
            p95_microseconds=p95(single),
            batch_rows=count(batch),
            batch_p50_microseconds=p50(many),
        )
        for model, single, many in zip(models, singles, batches, strict=True)
    ]
