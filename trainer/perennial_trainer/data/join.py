"""The join of captured predictions with the labels that clients sent back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from perennial_contracts.wire.capture import LABEL, PREDICTION_ID, TIME
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.folder import Folder

from ..errors import StepError
from . import tables
from .features import Feature


@dataclass(frozen=True)
class TimeRange:
    """A range of time in UTC, both ends included."""

    start: datetime
    end: datetime

    @classmethod
    def before(cls, now: str, seconds: int) -> "TimeRange":
        """Return the range of this length that ends at a time in RFC 3339.

        Raises:
            ValueError: if the time is not in RFC 3339.
        """
        end = datetime.fromisoformat(now)
        end = end.astimezone(UTC) if end.tzinfo else end.replace(tzinfo=UTC)
        return cls(end - timedelta(seconds=seconds), end)

    def has_day(self, path: str) -> bool:
        """Return whether a file's partition (``date=YYYY-MM-DD``) is a day of the range."""
        days = [part.removeprefix("date=") for part in path.split("/") if part.startswith("date=")]
        return bool(days) and str(self.start.date()) <= days[-1] <= str(self.end.date())


@dataclass(frozen=True)
class JoinedRows:
    """Predictions with their labels, in the order of time."""

    rows: pd.DataFrame
    """The features' columns as they were captured, LABEL (text) and TIME."""
    predictions: int
    """Number of predictions in the range, with and without a label."""


def join(
    folder: Folder,
    features: Sequence[Feature],
    window: TimeRange,
    most: int,
    scratch: Path,
) -> JoinedRows:
    """Return the newest labelled predictions of a range, each with its last label.

    Args:
        folder: the origin of the files, for messages.
        features: the columns.
        window: the range of the predictions' times.
        most: number of rows to return at most.
        scratch: the folder with the files.

    Raises:
        StepError: DataUnreadable with the file or the column.
    """
    predictions = sorted(scratch.glob("predictions/**/*.parquet"))
    labels = sorted(scratch.glob("labels/**/*.parquet"))
    names = [feature.name for feature in features]
    if not predictions:
        return JoinedRows(pd.DataFrame(columns=[*names, LABEL, TIME]), 0)
    with tables.connect(scratch) as connection:
        try:
            _view(connection, "predictions", predictions, [*names, PREDICTION_ID, TIME], folder)
            bounds = {
                "start": window.start.replace(tzinfo=None),
                "end": window.end.replace(tzinfo=None),
            }
            # A prediction that was written twice, for example after a restart, counts once.
            inside = f"""
                SELECT * FROM predictions
                WHERE CAST({TIME} AS TIMESTAMP) BETWEEN $start AND $end
                QUALIFY row_number() OVER (PARTITION BY {PREDICTION_ID} ORDER BY {TIME} DESC) = 1
            """
            counted = connection.execute(f"SELECT count(*) FROM ({inside})", bounds).fetchone()
            total = int(counted[0]) if counted else 0
            if not labels:
                return JoinedRows(pd.DataFrame(columns=[*names, LABEL, TIME]), total)
            _view(connection, "labels", labels, [PREDICTION_ID, LABEL, TIME], folder)
            columns = ", ".join(f"p.{tables.quote_name(name)}" for name in names)
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
    return JoinedRows(rows[::-1].reset_index(drop=True), total)


def _view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    files: Sequence[Path],
    columns: Sequence[str],
    folder: Folder,
) -> None:
    """Create a view of the files, with column types that hold the values of all files.

    The partitions in the paths are no columns, because a feature may have the same name.
    """
    listed = ", ".join(map(tables.quote_path, files))
    source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    have = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    for column in columns:
        if column not in have:
            raise StepError(
                TrainingFailure.DATA_UNREADABLE,
                f"expected a column {column} in the captured files, got {', '.join(have[:20])}",
                field=folder.describe(name),
            )
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")


def _unreadable(
    files: Sequence[Path], folder: Folder, scratch: Path, error: Exception
) -> StepError:
    """Return an error with the first file that cannot be read on its own."""
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
