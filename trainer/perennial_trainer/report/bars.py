"""A horizontal bar beside its number, for columns of tables and for counts."""

from .markup import Markup, element, join
from .svg import place

WIDTH, HEIGHT = 80, 8


def bar(said: str, value: float | None, most: float, kind: str = "") -> Markup:
    """The number with its bar below; only the number where there is nothing to draw.

    Args:
        said: the number as it is written.
        value: its length.
        most: what a full bar stands for.
        kind: further classes of the bar.
    """
    if value is None or most <= 0:
        return join([said])
    width = max(min(value / most, 1.0) * WIDTH, 1.0)
    drawn = element(
        "svg",
        element("rect", width=place(width), height=HEIGHT, rx=2, class_=f"bar {kind}".strip()),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        class_="length",
        aria_hidden="true",
    )
    return join([said, drawn])
