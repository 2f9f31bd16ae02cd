"""What was learnt from."""

from perennial_contracts.wire.modelcard import DataFacts, ModelCard

from ..bars import bar
from ..formatting import NOTHING, number, share
from ..markup import Markup, element, facts, join, note, table

MOST_COLUMNS = 200
MOST_LABELS = 50


def data(card: ModelCard) -> Markup:
    """Rows, labels and columns."""
    known = card.data
    told = facts(
        [
            ("label", known.label),
            ("rows learnt from", _count(known.rows)),
            ("captured rows", _count(known.captured)),
            ("held-out rows", _count(known.held_out)),
            ("captured from", known.start),
            ("captured to", known.end),
            ("digest", element("code", known.digest) if known.digest else ""),
        ]
    )
    parts = [told, _labels(known), _columns(known)]
    return join(parts) if any(parts) else Markup("")


def _count(rows: int) -> str:
    return f"{rows:,}" if rows else ""


def _labels(known: DataFacts) -> Markup:
    if not known.labels:
        return Markup("")
    total, most = sum(known.labels.values()), max(known.labels.values())
    rows = [
        (label, bar(f"{count:,}", count, most), share(count, total))
        for label, count in list(known.labels.items())[:MOST_LABELS]
    ]
    left = len(known.labels) - MOST_LABELS
    said = note(f"{left:,} more labels.") if left > 0 else ""
    head = ["label", "rows", "share"]
    return join([element("h3", "Labels"), table("Rows of each label", head, rows, "narrow"), said])


def _columns(known: DataFacts) -> Markup:
    if not known.columns:
        return Markup("")
    keys = list(dict.fromkeys(key for column in known.columns for key in column if key != "name"))
    rows = [
        (column.get("name", ""), *(_cell(column.get(key)) for key in keys))
        for column in known.columns[:MOST_COLUMNS]
    ]
    left = len(known.columns) - MOST_COLUMNS
    said = note(f"{left:,} more columns.") if left > 0 else ""
    return join(
        [element("h3", "Columns"), table("Columns that were learnt from", ["", *keys], rows), said]
    )


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else number(value)
