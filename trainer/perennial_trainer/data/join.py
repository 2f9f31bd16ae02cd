"""What was captured while the model served: predictions, joined with the labels that came back."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from perennial_contracts.wire.capture import LABEL, PREDICTION_ID, TIME
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.errors import StorageError
from perennial_storage.folder import Folder

from ..errors import StepError, reading_data
from . import tables
from .features import Feature

DOWNLOADS = 8
"""Files that are fetched at once."""
FIELD = "monitoring.capture.uri of the ModelDeployment"


@dataclass(frozen=True)
class Window:
    """A stretch of time, both ends included, in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def before(cls, now: str, seconds: int) -> "Window":
        """The time before a moment in RFC 3339.

        Raises:
            ValueError: where it is none.
        """
        end = datetime.fromisoformat(now)
        end = end.astimezone(UTC) if end.tzinfo else end.replace(tzinfo=UTC)
        return cls(end - timedelta(seconds=seconds), end)

    def has_day(self, path: str) -> bool:
        """Whether a file's partition (``date=YYYY-MM-DD``) is one of the window's days."""
        days = [part.removeprefix("date=") for part in path.split("/") if part.startswith("date=")]
        return bool(days) and str(self.start.date()) <= days[-1] <= str(self.end.date())


@dataclass(frozen=True)
class Captured:
    """Predictions with their labels, in the order of time."""

    rows: pd.DataFrame
    """The features' columns as they were captured, LABEL (text) and TIME."""
    predictions: int
    """Predictions in the window, with a label or without."""


def fetch(folder: Folder, model: str, window: Window, scratch: Path) -> None:
    """Copies the files of the window's days to this machine, at the same relative paths.

    A label comes after its prediction, so labels of the same days are all that matter.

    Raises:
        StorageError: AccessDenied or StoreUnreachable.
        StepError: DataUnreadable if the bucket does not exist.
    """
    wanted = [
        path
        for kind in ("predictions", "labels")
        for path in _paths(folder, f"{kind}/model={model}")
        if path.endswith(".parquet") and window.has_day(path)
    ]
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        list(pool.map(lambda path: _copy(folder, path, scratch / path), wanted))


def _paths(folder: Folder, below: str) -> list[str]:
    with reading_data():
        return folder.list(below)


def _copy(folder: Folder, path: str, target: Path) -> None:
    try:
        folder.download(path, target)
    except StorageError as error:
        if error.reason is not LoadFailure.MODEL_NOT_FOUND:
            raise
        target.unlink(missing_ok=True)  # its days were over while we were at it


def join(
    folder: Folder,
    features: Sequence[Feature],
    window: Window,
    most: int,
    scratch: Path,
) -> Captured:
    """The newest predictions of the window that have a label, each with its last one.

    Args:
        folder: where the files came from, for messages.
        features: the columns that are wanted.
        window: when the predictions were made.
        most: rows that are taken, the newest.
        scratch: where :func:`fetch` put the files.

    Raises:
        StepError: DataUnreadable, naming the file or the column.
    """
    predictions = sorted(scratch.glob("predictions/**/*.parquet"))
    labels = sorted(scratch.glob("labels/**/*.parquet"))
    names = [feature.name for feature in features]
    if not predictions:
        return Captured(pd.DataFrame(columns=[*names, LABEL, TIME]), 0)
    with tables.connect(scratch) as connection:
        try:
            _view(connection, "predictions", predictions, [*names, PREDICTION_ID, TIME], folder)
            bounds = {
                "start": window.start.replace(tzinfo=None),
                "end": window.end.replace(tzinfo=None),
            }
            # A prediction that was written twice, after a restart say, counts once.
            inside = f"""
                SELECT * FROM predictions
                WHERE CAST({TIME} AS TIMESTAMP) BETWEEN $start AND $end
                QUALIFY row_number() OVER (PARTITION BY {PREDICTION_ID} ORDER BY {TIME} DESC) = 1
            """
            counted = connection.execute(f"SELECT count(*) FROM ({inside})", bounds).fetchone()
            total = int(counted[0]) if counted else 0
            if not labels:
                return Captured(pd.DataFrame(columns=[*names, LABEL, TIME]), total)
            _view(connection, "labels", labels, [PREDICTION_ID, LABEL, TIME], folder)
            columns = ", ".join(f"p.{tables.quoted(name)}" for name in names)
            rows = connection.execute(
                f"""
                WITH last AS (
                    SELECT {PREDICTION_ID} AS id, arg_max(truth, ({TIME}, truth)) AS truth
                    FROM (SELECT *, CAST({LABEL} AS VARCHAR) AS truth FROM labels)
                    WHERE CAST({TIME} AS TIMESTAMP) <= $end AND truth IS NOT NULL
                    GROUP BY 1
                )
                SELECT {columns}, last.truth AS {LABEL}, CAST(p.{TIME} AS TIMESTAMP) AS {TIME}
                FROM ({inside}) AS p JOIN last ON last.id = p.{PREDICTION_ID}
                WHERE last.truth <> ''
                ORDER BY p.{TIME} DESC, p.{PREDICTION_ID} DESC
                LIMIT {int(most)}
                """,
                bounds,
            ).df()
        except duckdb.Error as error:
            raise _unreadable([*predictions, *labels], folder, scratch, error) from error
    return Captured(rows[::-1].reset_index(drop=True), total)


def _view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    files: Sequence[Path],
    columns: Sequence[str],
    folder: Folder,
) -> None:
    """The files as one table, whose columns have the types that hold those of all files.

    The partitions in their paths are no columns: a feature may bear the same name.
    """
    listed = ", ".join(map(tables.literal, files))
    source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    have = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    for column in columns:
        if column not in have:
            raise StepError(
                TrainingFailure.DATA_UNREADABLE,
                f"{folder.describe(name)}: expected a column {column} in the captured files, "
                f"got {', '.join(have[:20])}",
            )
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")


def _unreadable(
    files: Sequence[Path], folder: Folder, scratch: Path, error: Exception
) -> StepError:
    """Names the first file that cannot be read by itself."""
    for file in files:
        with tables.connect() as connection:
            try:
                count: Any = connection.execute(
                    "SELECT count(*) FROM read_parquet($file)", {"file": str(file)}
                )
                count.fetchone()
            except duckdb.Error as problem:
                return tables.unreadable(folder.describe(str(file.relative_to(scratch))), problem)
    return tables.unreadable(folder.uri, error)
