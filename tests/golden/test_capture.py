"""Captured predictions and labels: folders, file names, columns."""

import re
import signal
from pathlib import Path
from typing import Any

import duckdb
from golden import rest_cases
from golden.record import DATA, check
from support.runtime import servers, without_settings

DATE = re.compile(r"\d{4}-\d\d-\d\d")
WRITER = re.compile(r"[^/]+-(\d{6})\.parquet")


def columns(path: Path) -> dict[str, Any]:
    """Return types, compression and order of the columns of a Parquet file."""
    with duckdb.connect() as connection:
        schema = connection.execute(
            "SELECT name, type, converted_type, logical_type, repetition_type "
            f"FROM parquet_schema('{path}')"
        ).fetchall()
        chunks = connection.execute(
            f"SELECT path_in_schema, compression FROM parquet_metadata('{path}')"
        ).fetchall()
    return {"schema": schema[1:], "compression": dict(chunks)}


def rows(path: Path) -> list[Any]:
    """Return the rows of a file without their ids and times."""
    with duckdb.connect() as connection:
        relation = connection.sql(
            f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)"
        )
        names = [name for name in relation.columns if name not in ("_prediction_id", "_time")]
        picked = ", ".join(f'"{name}"' for name in names)
        found = connection.sql(f"SELECT {picked} FROM '{path}'").fetchall()
    rounded = [[round(v, 4) if isinstance(v, float) else v for v in row] for row in found]
    return [names, *rounded]


def test_the_captured_files_are_those_that_were_recorded(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for model, path in (("flights", "flights"), ("fares", "fares")):
        cases = rest_cases.FLIGHTS if model == "flights" else rest_cases.FARES
        with servers(without_settings()) as start:
            flags = ("--name", model, "--capture", str(tmp_path / model))
            server = start(DATA / "models" / path, *flags)
            for name in ("rows", "feedback"):
                if name in cases:
                    method, where, body, _ = cases[name]
                    assert server.request(method, where, body)[0] == 200
            server.terminate(signal.SIGINT)
            assert server.exit_code() == 0
        for file in sorted((tmp_path / model).rglob("*.parquet")):
            place = DATE.sub("DATE", file.relative_to(tmp_path).as_posix())
            found[WRITER.sub(r"WRITER-\1.parquet", place)] = {
                **columns(file),
                "rows": rows(file),
            }
    check("capture", found)
