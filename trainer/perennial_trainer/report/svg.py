"""SVG elements for the charts.

Charts are built in Python, not in templates: a chart is mostly arithmetic on coordinates, with an
element for each of its results. A template would compute the same with a macro for each kind of
line. MarkupSafe escapes texts and attributes here as it does in the templates.
"""

import math
import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

LARGEST = 1e100
"""Limit of the numbers that are drawn. Beyond it, arithmetic overflows."""
COLOURS = 8
"""Number of colours for series. A second round of them is dashed."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(value: object) -> object:
    """Return a value with U+FFFD for each character that HTML does not allow."""
    return _UNPRINTABLE.sub("\ufffd", value) if type(value) is str else value


def element(name: str, *children: object, **attributes: object) -> Markup:
    """Return ``<name attribute="...">children</name>``.

    Args:
        name: the tag.
        children: texts, which are escaped, and other elements.
        attributes: ``class_`` is written class, and ``_`` inside a name becomes a dash. Attributes
            that are None or empty are left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(value))}"'
        for key, value in attributes.items()
        if value not in (None, "")
    )
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Concatenate texts, which are escaped, and elements."""
    return Markup("".join(escape(printable(part)) for part in parts))


def picture(width: float, height: float, title: str, *parts: object, class_: str = "") -> Markup:
    """Return an image that fills the width of its container.

    Args:
        width: of the view box.
        height: of the view box.
        title: text for screen readers.
        parts: the content.
        class_: class of the image.
    """
    return element(
        "svg",
        element("title", title),
        *parts,
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        role="img",
        class_=class_,
    )


def coordinate(value: float) -> str:
    """Format a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return element(
        "line",
        x1=coordinate(x1),
        y1=coordinate(y1),
        x2=coordinate(x2),
        y2=coordinate(y2),
        class_=class_,
    )


def label(text: str, x: float, y: float, anchor: str = "middle", class_: str = "") -> Markup:
    """Return a text. ``anchor`` is the part of it at x: start, middle or end."""
    side = None if anchor == "start" else anchor
    return element("text", text, x=coordinate(x), y=coordinate(y), text_anchor=side, class_=class_)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Return a line through all points, without a filled area."""
    drawn = " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)
    return element("polyline", points=drawn, class_=class_)


def dots(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Return points as one path. The style's stroke sets their size."""
    path = "".join(f"M{coordinate(x)} {coordinate(y)}h0" for x, y in points)
    return element("path", d=path, class_=f"dots {class_}")


def bar(text: str, value: float | None, most: float, class_: str = "") -> Markup:
    """Return a number with a horizontal bar below it, for a column of a table.

    Args:
        text: the number as text.
        value: length of the bar; without it, only the text is returned.
        most: value of a full bar.
        class_: further classes of the bar.
    """
    if value is None or most <= 0:
        return escape(text)
    width = max(min(value / most, 1.0) * 80, 1.0)
    drawn = element(
        "svg",
        element("rect", width=coordinate(width), height=8, rx=2, class_=f"bar {class_}".strip()),
        viewBox="0 0 80 8",
        class_="length",
        aria_hidden="true",
    )
    return join([text, drawn])


def series(index: int) -> str:
    """Return the class of a series' colour."""
    return f"c{index % COLOURS}" + (" dashed" if (index // COLOURS) % 2 else "")


def legend(names: Sequence[str]) -> Markup:
    """Return the list of series with their colours."""
    return element(
        "ul",
        *(element("li", _swatch(index), element("span", name)) for index, name in enumerate(names)),
        class_="legend",
    )


def finite(*values: Sequence[float]) -> list[tuple[float, ...]]:
    """Return the rows of these columns without rows that cannot be drawn."""
    return [row for row in zip(*values, strict=False) if all(map(drawable, row))]


def drawable(value: float | None) -> bool:
    """Return whether a value is a number on which arithmetic does not overflow."""
    return value is not None and math.isfinite(value) and abs(value) < LARGEST


def _swatch(index: int) -> Markup:
    return element("svg", line(0, 5, 18, 5, series(index)), viewBox="0 0 18 10", aria_hidden="true")
