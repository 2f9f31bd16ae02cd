"""The table that a first model was made from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.folder import Folder
from perennial_storage.uris import split

from ..errors import StepError, reading_data
from . import tables

FIELD = "data.baseline"


@dataclass(frozen=True)
class Baseline:
    """The table as it was read, and its place."""

    uri: str
    table: pd.DataFrame


def fetch(uri: str, label: str, scratch: Path, retry_seconds: float) -> Baseline:
    """Fetches and reads the table.

    Raises:
        StorageError: AccessDenied or StoreUnreachable.
        StepError: DataUnreadable.
    """
    where, name = split(uri)
    target = scratch / "baseline.parquet"
    with reading_data():
        Folder(where, FIELD, retry_seconds).download(name, target)
    table = tables.read(target, uri)
    target.unlink()
    if label not in table.columns:
        have = ", ".join(map(str, table.columns[:20]))
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{uri}: expected a column {label} (data.label), got {have}",
        )
    return Baseline(uri, table)


def replay(pool: int, training: int, permille: int, seed: int) -> np.ndarray:
    """Which rows of the baseline are learnt from again.

    Args:
        pool: rows to choose from.
        training: captured rows that are learnt from beside them.
        permille: share of all training rows that is to come from the baseline.
        seed: of the choice.

    Returns:
        Places in ascending order, so that the rows stay in the order of time; fewer than asked for
        where there are no more.
    """
    wanted = round(training * permille / (1000 - permille))
    chosen = np.random.default_rng(seed).choice(pool, min(wanted, pool), replace=False)
    return np.sort(chosen)
