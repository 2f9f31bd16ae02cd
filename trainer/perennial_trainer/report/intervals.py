"""Dots with whiskers: a value and its interval, many below each other on one scale."""

from dataclasses import dataclass

from .axes import Scale
from .formatting import number
from .markup import Markup, element, join
from .svg import label, line, picture, place

WIDTH, HEIGHT = 190, 22
PAD = 14
"""Room for half a tick's text."""


@dataclass(frozen=True)
class Whiskers:
    """A column of pictures over one scale, with a line at the value that all are held against."""

    low: float
    high: float
    reference: float | None = None

    def draw(
        self, said: str, middle: float, low: float | None, high: float | None, kind: str = "c0"
    ) -> Markup:
        """One dot with its interval; ``said`` is for those who do not see it."""
        at, half = self._scale(), HEIGHT / 2
        parts = [] if self.reference is None else [self._line()]
        if low is not None and high is not None:
            parts.append(line(at(low), half, at(high), half, f"whisker {kind}"))
        parts.append(element("circle", cx=place(at(middle)), cy=place(half), r=4.5, class_=kind))
        return picture(WIDTH, HEIGHT, said, join(parts), class_="whiskers")

    def axis(self) -> Markup:
        """The scale, for the column's head."""
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
