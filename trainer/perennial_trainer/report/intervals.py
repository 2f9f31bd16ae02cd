"""Values with their intervals on a scale: whiskers of tables, gauges of tiles."""

from dataclasses import dataclass

from markupsafe import Markup

from perennial_contracts.stats.quality import ERRORS
from perennial_contracts.wire.modelcard import Score

from .axes import Scale
from .formatting import metric, number, score
from .svg import coordinate, drawable, element, join, label, line, picture

WIDTH, HEIGHT = 190, 22
PAD = 14
"""Room for half of a tick's text."""
GAUGE_WIDTH, GAUGE_HEIGHT = 160, 16


@dataclass(frozen=True)
class Whiskers:
    """A column of pictures on one scale, with a line at the reference value."""

    low: float
    high: float
    reference: float | None = None

    def draw(
        self, title: str, middle: float, low: float | None, high: float | None, kind: str = "c0"
    ) -> Markup:
        """Return a dot with its interval. ``title`` is for screen readers."""
        at, half = self._scale(), HEIGHT / 2
        parts = [] if self.reference is None else [self._line()]
        if low is not None and high is not None:
            parts.append(line(at(low), half, at(high), half, f"whisker {kind}"))
        parts.append(
            element("circle", cx=coordinate(at(middle)), cy=coordinate(half), r=4.5, class_=kind)
        )
        return picture(WIDTH, HEIGHT, title, join(parts), class_="whiskers")

    def axis(self) -> Markup:
        """Return the scale, for the column's head."""
        at = self._scale()
        ticks = at.ticks()
        if len(ticks) > 4:
            ticks = ticks[:: (len(ticks) + 2) // 3]
        parts = [
            join([
                label(number(tick, 3), at(tick), HEIGHT - 8),
                line(at(tick), HEIGHT - 4, at(tick), HEIGHT, "grid"),
            ])
            for tick in ticks
        ]  # fmt: skip
        title = f"from {number(self.low)} to {number(self.high)}"
        return picture(WIDTH, HEIGHT, title, *parts, class_="whiskers")

    def _scale(self) -> Scale:
        return Scale(self.low, self.high, PAD, WIDTH - PAD)

    def _line(self) -> Markup:
        at = self._scale()(self.reference or 0.0)
        return line(at, 0, at, HEIGHT, "reference")


def gauge(found: Score, dummy: float | None) -> Markup:
    """Return a score with its interval on a scale from zero.

    The scale ends at 1 or, for an error, at the largest value that is drawn.

    Args:
        found: the score.
        dummy: the score of a model that has not learnt; None to leave it out.
    """
    drawn = [
        v for v in (found.value, found.low, found.high, dummy) if v is not None and drawable(v)
    ]
    error = found.metric in ERRORS
    high = max([*drawn, 0.0]) * 1.05 if error else max([*drawn, 1.0])
    low = min([*drawn, 0.0])
    scale = Scale(low, high or 1.0, 2, GAUGE_WIDTH - 2)
    middle = GAUGE_HEIGHT / 2
    parts = [line(2, middle, GAUGE_WIDTH - 2, middle, "track")]
    if found.low is not None and found.high is not None:
        parts.append(line(scale(found.low), middle, scale(found.high), middle, "whisker c0"))
    parts.append(line(scale(found.value), 2, scale(found.value), GAUGE_HEIGHT - 2, "mark"))
    if dummy is not None and drawable(dummy):
        parts.append(line(scale(dummy), 3, scale(dummy), GAUGE_HEIGHT - 3, "dummy"))
    ends = "smaller is better" if error else "larger is better"
    title = f"{metric(found.metric)} {score(found.value)}, {ends}"
    return picture(GAUGE_WIDTH, GAUGE_HEIGHT, title, join(parts))
