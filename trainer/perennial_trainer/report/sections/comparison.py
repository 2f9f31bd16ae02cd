"""Champion against challenger: the gain of each metric with its interval."""

from perennial_contracts.stats.quality import ERRORS, RELATIVE
from perennial_contracts.wire.modelcard import ModelCard, Side

from ..formatting import metric, percent, score, signed
from ..intervals import Whiskers
from ..markup import Markup, element, join, note, table

WHERE = {"Recent": "Recent rows", "Reference": "Rows of the baseline"}


def comparison(card: ModelCard) -> Markup:
    """A table for each set of held-out rows."""
    if not card.comparisons:
        return Markup("")
    tables = []
    for on, title in WHERE.items():
        sides = [side for side in card.comparisons if side.on == on]
        if sides:
            tables += [element("h3", f"{title}: {sides[0].rows:,}"), _table(title, sides, card)]
    said = (
        "Both models on the same held-out rows, which neither has learnt from. A dot to the right "
        "of the dashed line is a gain; its line is the 95 % interval, by a paired bootstrap of "
        "contiguous blocks. Green: surely better. Red: surely worse. Blue: it may be chance."
    )
    return join([*tables, note(said)])


def _table(title: str, sides: list[Side], card: ModelCard) -> Markup:
    # Metrics without an upper end have units of their own, so they do not share the others' scale.
    reach = max((_reach(side) for side in sides if _is_share(side)), default=0.0)
    shared = _column(reach)
    rows = []
    for side in sides:
        column = shared if _is_share(side) else _column(_reach(side))
        middle = _middle(side)
        written = signed if _is_share(side) else percent
        rows.append(
            (
                element("strong", metric(side.metric))
                if side.metric == card.metric
                else metric(side.metric),
                column.draw(
                    f"gain between {written(side.low)} and {written(side.high)}",
                    middle, side.low, side.high, _colour(side),
                ),
                score(side.champion),
                score(side.challenger),
                written(middle),
                f"{written(side.low)} to {written(side.high)}",
            )
        )  # fmt: skip
    head = ["", shared.axis() if reach else "", "champion", "challenger", "gain", "between"]
    return table(f"{title}: champion and challenger", head, rows, "wide forest")


def _is_share(side: Side) -> bool:
    return side.metric not in RELATIVE


def _reach(side: Side) -> float:
    return max(abs(side.low), abs(side.high), abs(_middle(side)))


def _column(reach: float) -> Whiskers:
    return Whiskers(-(reach or 1.0) * 1.05, (reach or 1.0) * 1.05, 0.0)


def _middle(side: Side) -> float:
    """The gain itself, which is on the side's own scale: of errors that have no upper end a share
    of the champion's."""
    gained = side.challenger - side.champion
    if side.metric in ERRORS:
        gained = -gained
    if side.metric in RELATIVE and side.champion:
        gained /= abs(side.champion)
    return gained


def _colour(side: Side) -> str:
    return "c0" if side.low > 0 else "c1" if side.high < 0 else "c2"
