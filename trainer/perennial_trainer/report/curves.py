"""Curves between 0 and 1: ROC, precision over recall, calibration."""

from collections.abc import Sequence

from perennial_contracts.wire.modelcard import Curve

from .axes import frame
from .markup import Markup, element, join
from .svg import dots, finite, legend, line, polyline, series

MOST_CURVES = 20
MOST_POINTS = 100
"""Of a curve: more cannot be seen, and a page of twenty classes must stay small."""
UNIT = (0.0, 1.0)


def curves(
    title: str,
    drawn: Sequence[Curve],
    x_name: str,
    y_name: str,
    *,
    diagonal: bool = False,
    marks: bool = False,
) -> Markup:
    """One chart with a line for each curve.

    Args:
        title: what it shows.
        drawn: with values from 0 to 1.
        x_name: of the horizontal axis.
        y_name: of the vertical one.
        diagonal: whether y = x is drawn, which stands for chance, or for perfect calibration.
        marks: whether each point has a dot.
    """
    axes = frame(UNIT, UNIT, x_name, y_name)
    parts = [line(axes.x(0), axes.y(0), axes.x(1), axes.y(1), "reference")] if diagonal else []
    shown = drawn[:MOST_CURVES]
    for index, curve in enumerate(shown):
        points = [(axes.x(x), axes.y(y)) for x, y in thin(finite(curve.x, curve.y), MOST_POINTS)]
        parts.append(polyline(points, f"curve {series(index)}"))
        if marks:
            parts.append(dots(points, series(index)))
    head = element("figcaption", element("h3", title))
    named = legend([curve.name for curve in shown]) if any(c.name for c in shown) else ""
    return element("figure", head, axes.draw(title, join(parts)), named)


def thin(points: Sequence[tuple[float, ...]], most: int) -> list[tuple[float, ...]]:
    """No more than so many points, evenly by index, the two ends among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(index * step)] for index in range(most)]
