"""Which rows are learnt from and which are held out. Pure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial_contracts.api.retrainjob import TrainingData
from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from . import baseline as baselines
from .features import digest_rows


@dataclass(frozen=True)
class Rows:
    """Clean rows and their labels, in the order of time."""

    frame: pd.DataFrame
    labels: np.ndarray
    times: "pd.Series[pd.Timestamp] | None" = None
    """When the predictions were made, of captured rows."""

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, key: "slice | np.ndarray") -> "Rows":
        times = None if self.times is None else self.times.iloc[key].reset_index(drop=True)
        return Rows(self.frame.iloc[key].reset_index(drop=True), self.labels[key], times)

    def table(self, label: str) -> pd.DataFrame:
        """The features and the label beside them."""
        return self.frame.assign(**{label: self.labels})


@dataclass(frozen=True)
class Assembled:
    """What the step leaves."""

    train: Rows
    recent: Rows
    reference: Rows | None
    summary: DataSummary


def arrange(
    found: "tuple[Rows, DataSummary] | None",
    base: Rows | None,
    data: TrainingData,
    seed: int,
    until: str | None = None,
) -> Assembled:
    """Splits the rows: what is held out is in no training row.

    Args:
        found: captured rows, and when they were captured.
        base: rows of the baseline.
        data: the shares.
        seed: of the choice of what is replayed.
        until: time of the last captured row that the champion has learnt from, where it is known.

    Raises:
        StepError: BadPlan where there are no rows at all.
    """
    share = data.holdoutPermille
    pool = reference = None
    if base is not None:
        pool, reference = _cut(base, share)
    if found is None:
        if pool is None or reference is None:
            raise StepError(
                TrainingFailure.BAD_PLAN, "expected captured rows or data.baseline, got neither"
            )
        digest = digest_rows([pool.table(data.label), reference.table(data.label)])
        return Assembled(pool, reference, None, DataSummary(digest=digest, rows=len(pool)))
    captured, summary = found
    train, recent = _cut(captured, share)
    summary = summary.model_copy(update=_progress(train, until))
    if pool is not None:
        again = pool[baselines.replay(len(pool), len(train), data.replayPermille, seed)]
        train = Rows(
            pd.concat([again.frame, train.frame], ignore_index=True),
            np.concatenate([again.labels, train.labels]),
        )
    parts = [rows.table(data.label) for rows in (train, recent, reference) if rows is not None]
    whole = summary.model_copy(update={"digest": digest_rows(parts), "rows": len(train)})
    return Assembled(train, recent, reference, whole)


def _cut(rows: Rows, permille: int) -> tuple[Rows, Rows]:
    """The earlier rows, and the latest ones, at least one."""
    cut = len(rows) - max(1, round(len(rows) * permille / 1000))
    return rows[:cut], rows[cut:]


def _progress(train: Rows, until: str | None) -> dict[str, str | int | None]:
    """Until when these captured rows reach, and how many the champion has not learnt from.

    Times are told in whole seconds: rows of the champion's last one count as learnt.
    """
    if train.times is None or not len(train):
        return {}
    fresh = None
    if until is not None:
        last = pd.Timestamp(until).tz_localize(None)
        fresh = int((train.times.dt.floor("s") > last).sum())
    return {"learntUntil": moment(train.times.iloc[-1]), "fresh": fresh}


def moment(time: pd.Timestamp) -> str:
    """A time as a summary tells it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
