"""Tables in files: Parquet and CSV, read and written with DuckDB, which reaches for no network."""

from pathlib import Path

import duckdb
import pandas as pd

from perennial_contracts.training import TrainingFailure

from .errors import StepError
from .threads import allowed

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def connect(scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills into a folder."""
    connection = duckdb.connect(config=dict(CONFIG))
    connection.execute(f"SET threads = {allowed()}")
    connection.execute("SET TimeZone = 'UTC'")
    if scratch is not None:
        connection.execute("SET temp_directory = $folder", {"folder": str(scratch)})
    return connection


def read(path: Path, name: str | None = None) -> pd.DataFrame:
    """The table in a Parquet or CSV file, in the order in which it was written.

    Args:
        path: where it lies; what does not end in .csv is Parquet.
        name: what it is called in messages.

    Raises:
        StepError: DataUnreadable.
    """
    function = "read_csv" if path.suffix == ".csv" else "read_parquet"
    try:
        with connect() as connection:
            return connection.execute(f"SELECT * FROM {function}($path)", {"path": str(path)}).df()
    except duckdb.Error as error:
        raise unreadable(name or str(path), error) from error


def write(frame: pd.DataFrame, path: Path) -> None:
    """Writes clean rows as Parquet."""
    with connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY (SELECT * FROM frame) TO '{_quoted(path)}' (FORMAT parquet)")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def unreadable(what: str, error: Exception) -> StepError:
    """A failure to read a table, in a line."""
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return StepError(TrainingFailure.DATA_UNREADABLE, f"{what}: cannot be read: {first_line}")
