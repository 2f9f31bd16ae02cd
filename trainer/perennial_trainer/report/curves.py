"""Charts of curves between 0 and 1: ROC, precision over recall, calibration."""

from collections.abc import Sequence

from markupsafe import Markup

from perennial_contracts.wire.modelcard import Curve

from .axes import frame
from .svg import dots, element, finite, join, legend, line, polyline, series

MOST_CURVES = 20
MOST_POINTS = 100
"""Limit for each curve, so that a page of twenty classes stays small."""
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
    """Return a chart with a line for each curve.

    Args:
        title: title of the chart.
        drawn: the curves, with values from 0 to 1.
        x_name: name of the horizontal axis.
        y_name: name of the vertical axis.
        diagonal: draw y = x, the line of chance or of perfect calibration.
        marks: draw a dot at each point.
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
    names = legend([curve.name for curve in shown]) if any(c.name for c in shown) else ""
    return element("figure", head, axes.draw(title, join(parts)), names)


def thin(points: Sequence[tuple[float, ...]], most: int) -> list[tuple[float, ...]]:
    """Return at most so many points, evenly by index, with both ends."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(index * step)] for index in range(most)]
