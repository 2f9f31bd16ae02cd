"""The scores of some of the rows, held against the score of all."""

from itertools import groupby

from perennial_contracts.stats.quality import ERRORS
from perennial_contracts.wire.modelcard import ModelCard, Slice

from ..axes import span
from ..formatting import metric, score
from ..intervals import Whiskers
from ..markup import Markup, element, join, note, table

MOST_SLICES = 80


def slices(card: ModelCard) -> Markup:
    """A table for each metric that slices were measured by."""
    found = card.evaluation
    if found is None or not found.slices:
        return Markup("")
    whole = {total.metric: total.value for total in found.scores}
    by_metric = sorted(found.slices[:MOST_SLICES], key=lambda part: part.score.metric)
    tables = [
        _table(name, list(parts), whole.get(name))
        for name, parts in groupby(by_metric, key=lambda part: part.score.metric)
    ]
    said = (
        "A dot is the score of the rows with this value, its line the 95 % interval, the dashed "
        "line the score of all rows. Red: surely worse than all rows."
    )
    if len(found.slices) > MOST_SLICES:
        said += f" {MOST_SLICES} of {len(found.slices):,} slices are shown."
    return join([*tables, note(said)])


def _table(name: str, parts: list[Slice], whole: float | None) -> Markup:
    ends = [
        value
        for part in parts
        for value in (part.score.low, part.score.high, part.score.value, whole)
        if value is not None
    ]
    low, high = span(ends)
    if name not in ERRORS and max(ends, default=0) <= 1:
        high = min(high, 1.0)
    column = Whiskers(low, high, whole)
    rows = [
        (
            join([element("small", part.feature), " ", part.value]),
            column.draw(
                f"{metric(name)} {score(part.score.value)}",
                part.score.value, part.score.low, part.score.high, _colour(part, whole),
            ),
            score(part.score.value),
            _between(part),
            f"{part.rows:,}",
        )
        for part in parts
    ]  # fmt: skip
    head = ["", column.axis(), metric(name), "between", "rows"]
    return table(f"{metric(name)} by slice", head, rows, "wide forest")


def _colour(part: Slice, whole: float | None) -> str:
    low, high = part.score.low, part.score.high
    if whole is None or low is None or high is None:
        return "c2"
    worse = low > whole if part.score.metric in ERRORS else high < whole
    return "c1" if worse else "c2"


def _between(part: Slice) -> str:
    if part.score.low is None or part.score.high is None:
        return ""
    return f"{score(part.score.low)} to {score(part.score.high)}"
