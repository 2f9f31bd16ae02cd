"""Tables in files: Parquet and CSV, read and written with DuckDB, which reaches for no network."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from ..threads import allowed

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


def read(path: Path, name: str | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The table in a Parquet or CSV file, in the order in which it was written.

    Args:
        path: where it lies; what does not end in .csv is Parquet.
        name: what it is called in messages.
        columns: which ones; all where absent.

    Raises:
        StepError: DataUnreadable.
    """
    function = "read_csv" if path.suffix == ".csv" else "read_parquet"
    wanted = ", ".join(map(quoted, columns)) if columns else "*"
    query = f"SELECT {wanted} FROM {function}($path)"
    try:
        with connect() as connection:
            return connection.execute(query, {"path": str(path)}).df()
    except duckdb.Error as error:
        raise unreadable(name or str(path), error) from error


def write(frame: pd.DataFrame, path: Path) -> None:
    """Writes clean rows as Parquet."""
    with connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY (SELECT * FROM frame) TO {literal(path)} (FORMAT parquet)")


def quoted(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(path: Path) -> str:
    """A file's path as SQL writes a text."""
    return "'" + str(path).replace("'", "''") + "'"


def unreadable(what: str, error: Exception) -> StepError:
    """A failure to read a table, in a line."""
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return StepError(TrainingFailure.DATA_UNREADABLE, f"{what}: cannot be read: {first_line}")
