"""Format the table."""

from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]


def _of(key: str, text: str = "{}") -> Callable[[Row], str]:
    return lambda row: "" if row.get(key) is None else text.format(row[key])


def _agreement(row: Row) -> str:
    """Format the agreement, with ties: rows for which either label is correct."""
    if row.get("agreement") is None:
        return ""
    ties = f" + {row['ties'] / row['rows']:.1%} ties" if row.get("ties") else ""
    return f"{row['agreement']:.1%}{ties}"


def _size(row: Row) -> str:
    return f"{row['bytes'] / 1000:,.0f}" if "bytes" in row else ""


COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("image", _of("image")),
    ("converts", lambda row: "yes" if row["converts"] else "no"),
    ("rows", _of("rows")),
    ("agreement", _agreement),
    ("max diff", _of("maxDifference", "{:.1e}")),
    ("KB", _size),
    ("p95 us", _of("p95Microseconds")),
    ("served s", _of("servedSeconds")),
    ("served diff", _of("servedDifference", "{:.1e}")),
)


def render(results: Mapping[str, Row]) -> str:
    """Format a line for each model, and the failures below the table."""
    cells = [["model", *(title for title, _ in COLUMNS)]]
    cells += [[title, *(cell(row) for _, cell in COLUMNS)] for title, row in results.items()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    for title, row in results.items():
        for key in ("message", "servedMessage"):
            if key in row:
                lines.append(f"{title}: {row[key]}")
    return "\n".join(lines)
