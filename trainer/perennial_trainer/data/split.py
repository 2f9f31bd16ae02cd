"""The split of rows into those to train on and those that are held out. Pure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial_contracts.api.retrainjob import TrainingData
from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .rows import CapturedRows, LabelledRows, digest_rows


@dataclass(frozen=True)
class Datasets:
    """The rows of a run."""

    train: LabelledRows
    recent: LabelledRows
    reference: LabelledRows | None
    summary: DataSummary


def split(
    captured: CapturedRows | None,
    baseline: LabelledRows | None,
    data: TrainingData,
    seed: int,
    until: str | None = None,
) -> Datasets:
    """Split the rows; no held-out row is a training row.

    Args:
        captured: captured rows.
        baseline: rows of the baseline.
        data: the shares.
        seed: seed for the choice of the replayed rows.
        until: time of the last captured row that the champion learned from, if known.

    Raises:
        StepError: BadPlan if there are no rows at all.
    """
    pool = reference = None
    if baseline is not None:
        pool, reference = _cut(baseline, data.holdoutPermille)
    if captured is None:
        if pool is None or reference is None:
            raise StepError(
                TrainingFailure.BAD_PLAN, "expected captured rows or data.baseline, got neither"
            )
        digest = digest_rows([pool.table(data.label), reference.table(data.label)])
        return Datasets(pool, reference, None, DataSummary(digest=digest, rows=len(pool)))
    train, recent = _cut(captured.rows, data.holdoutPermille)
    learnt_until, fresh = _count_fresh(train, until)
    if pool is not None:
        again = pool[replay(len(pool), len(train), data.replayPermille, seed)]
        train = LabelledRows(
            pd.concat([again.frame, train.frame], ignore_index=True),
            np.concatenate([again.labels, train.labels]),
        )
    parts = [rows.table(data.label) for rows in (train, recent, reference) if rows is not None]
    start, end = _time_bounds(captured.rows)
    summary = DataSummary(
        digest=digest_rows(parts),
        rows=len(train),
        captured=len(captured.rows),
        leftOut=captured.left_out,
        start=start,
        end=end,
        learntUntil=learnt_until,
        fresh=fresh,
    )
    return Datasets(train, recent, reference, summary)


def replay(pool: int, training: int, permille: int, seed: int) -> np.ndarray:
    """Choose the rows of the baseline to train on again.

    Args:
        pool: number of rows to choose from.
        training: number of captured rows in the training data.
        permille: share of the baseline in all training rows.
        seed: seed of the choice.

    Returns:
        Indices in ascending order, so that rows stay in the order of time; all if there are too
        few.
    """
    wanted = round(training * permille / (1000 - permille))
    chosen = np.random.default_rng(seed).choice(pool, min(wanted, pool), replace=False)
    return np.sort(chosen)


def _cut(rows: LabelledRows, permille: int) -> tuple[LabelledRows, LabelledRows]:
    """Split rows into the earlier ones and the latest, of which there is at least one."""
    cut = len(rows) - max(1, round(len(rows) * permille / 1000))
    return rows[:cut], rows[cut:]


def _time_bounds(rows: LabelledRows) -> tuple[str | None, str | None]:
    """Return the times of the first and the last row; None if the rows have no times."""
    if rows.times is None or not len(rows):
        return None, None
    return _format_time(rows.times.iloc[0]), _format_time(rows.times.iloc[-1])


def _count_fresh(train: LabelledRows, until: str | None) -> tuple[str | None, int | None]:
    """Return the time of the last row, and the number of rows new to the champion.

    Times in lineage are whole seconds: rows in the champion's last second count as learned.
    """
    _, learnt_until = _time_bounds(train)
    if until is None or train.times is None:
        return learnt_until, None
    last = pd.Timestamp(until).tz_localize(None)
    return learnt_until, int((train.times.dt.floor("s") > last).sum())


def _format_time(time: pd.Timestamp) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
