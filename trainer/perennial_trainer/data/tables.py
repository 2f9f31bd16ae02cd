"""Tables in files, Parquet and CSV. DuckDB reads and writes them, without network."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from ..threads import allowed_threads

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def connect(scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, which spills into the folder if one is given."""
    connection = duckdb.connect(config=dict(CONFIG))
    connection.execute(f"SET threads = {allowed_threads()}")
    connection.execute("SET TimeZone = 'UTC'")
    if scratch is not None:
        connection.execute("SET temp_directory = $folder", {"folder": str(scratch)})
    return connection


def read(path: Path, name: str | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the table in a Parquet or CSV file, in the order of the file.

    Args:
        path: the file; without the suffix .csv it is read as Parquet.
        name: the name of the file in messages.
        columns: the columns to read; None for all.

    Raises:
        StepError: DataUnreadable.
    """
    function = "read_csv" if path.suffix == ".csv" else "read_parquet"
    wanted = ", ".join(map(quote_name, columns)) if columns else "*"
    query = f"SELECT {wanted} FROM {function}($path)"
    try:
        with connect() as connection:
            return connection.execute(query, {"path": str(path)}).df()
    except duckdb.Error as error:
        raise unreadable(name or str(path), error) from error


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write clean rows as Parquet."""
    with connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY (SELECT * FROM frame) TO {quote_path(path)} (FORMAT parquet)")


def quote_name(name: str) -> str:
    """Return the name of a column for SQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_path(path: Path) -> str:
    """Return the path of a file as a string literal for SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def unreadable(source: str, error: Exception) -> StepError:
    """Return a failure to read a table, in one line."""
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return StepError(TrainingFailure.DATA_UNREADABLE, f"cannot be read: {first_line}", field=source)
