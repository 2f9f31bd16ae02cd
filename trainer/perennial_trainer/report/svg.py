"""The parts that all pictures are made of."""

import math
from collections.abc import Iterable, Sequence

from .markup import Markup, element, join

LARGEST = 1e100
"""Numbers beyond it are not drawn: arithmetic on them overflows."""
COLOURS = 8
"""How many the style has for series; then dashes set them apart."""


def picture(width: float, height: float, title: str, *parts: object, class_: str = "") -> Markup:
    """An image that is as wide as its place allows; ``title`` is for those who do not see it."""
    return element(
        "svg",
        element("title", title),
        *parts,
        viewBox=f"0 0 {place(width)} {place(height)}",
        role="img",
        class_=class_,
    )


def place(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element(
        "line", x1=place(x1), y1=place(y1), x2=place(x2), y2=place(y2), class_=class_
    )  # fmt: skip


def label(said: str, x: float, y: float, anchor: str = "middle", class_: str = "") -> Markup:
    """A text; ``anchor`` is which of its ends is at x: start, middle or end."""
    side = None if anchor == "start" else anchor
    return element("text", said, x=place(x), y=place(y), text_anchor=side, class_=class_)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """A line through all points, without area."""
    drawn = " ".join(f"{place(x)},{place(y)}" for x, y in points)
    return element("polyline", points=drawn, class_=class_)


def dots(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Points as one path; as wide as the style's stroke."""
    return element(
        "path", d="".join(f"M{place(x)} {place(y)}h0" for x, y in points), class_=f"dots {class_}"
    )


def series(index: int) -> str:
    """The class of a series' colour; a second round through the colours is dashed."""
    return f"c{index % COLOURS}" + (" dashed" if (index // COLOURS) % 2 else "")


def legend(names: Sequence[str]) -> Markup:
    """Which colour is whose."""
    return element(
        "ul",
        *(element("li", _swatch(index), element("span", name)) for index, name in enumerate(names)),
        class_="legend",
    )


def finite(*values: Sequence[float]) -> list[tuple[float, ...]]:
    """Rows of these columns, without those that cannot be drawn."""
    return [row for row in zip(*values, strict=False) if all(map(drawable, row))]


def drawable(value: float | None) -> bool:
    """Whether it is a number that arithmetic on axes does not overflow with."""
    return value is not None and math.isfinite(value) and abs(value) < LARGEST


def _swatch(index: int) -> Markup:
    return element(
        "svg", join([line(0, 5, 18, 5, series(index))]), viewBox="0 0 18 10", aria_hidden="true"
    )
