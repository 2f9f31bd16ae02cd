"""What models weigh and how long they take, side by side on this CPU."""

import gzip
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .running import Session
from .samples import Feeds, count, spread, take

BATCH_ROWS = 64
ROUNDS = 20
ROUND_SECONDS = 0.02
"""At most this long a model is timed in a round, for one row and for a batch each; one call is
always made."""
MOST_CALLS = 50


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

    What else the machine does counts little: processor time does not go on while others are served,
    and all models take their turns in every round.

    Args:
        models: ONNX files that take these feeds.
        feeds: at least one row.
        rounds: how many.
    """
    sessions = [Session(model) for model in models]
    least = max(session.fixed_rows or 1 for session in sessions)
    fixed = any(session.fixed_rows for session in sessions)
    one = take(feeds, slice(0, least))
    batch = one if fixed else spread(feeds, BATCH_ROWS)
    for session in sessions:
        session.call(one)
        session.call(batch)
    singles: list[list[float]] = [[] for _ in models]
    batches: list[list[float]] = [[] for _ in models]
    for _ in range(rounds):
        for place, session in enumerate(sessions):
            singles[place] += _times(lambda session=session: session.call(one))  # type: ignore[misc]
        for place, session in enumerate(sessions):
            batches[place] += _times(lambda session=session: session.call(batch))  # type: ignore[misc]
    return [
        Measured(
            size_bytes=len(model),
            transfer_bytes=len(gzip.compress(model, 6, mtime=0)),
            p50_microseconds=_quantile(single, 0.5),
            p95_microseconds=_quantile(single, 0.95),
            batch_rows=count(batch),
            batch_p50_microseconds=_quantile(many, 0.5),
        )
        for model, single, many in zip(models, singles, batches, strict=True)
    ]


def _times(call: Callable[[], object]) -> list[float]:
    times: list[float] = []
    clock, end = _clock(), time.perf_counter() + ROUND_SECONDS
    while not times or (len(times) < MOST_CALLS and time.perf_counter() < end):
        begun = clock()
        call()
        times.append(clock() - begun)
    return times


def _clock() -> Callable[[], float]:
    """The processor time of this thread; the wall clock where the former goes on in large steps."""
    fine = len({time.thread_time() for _ in range(20)}) > 10
    return time.thread_time if fine else time.perf_counter


def _quantile(seconds: list[float], share: float) -> float:
    return round(float(np.quantile(seconds, share)) * 1e6, 1)
