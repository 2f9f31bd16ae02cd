"""Scatter charts: candidates by cost and score, predictions by truth, residuals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from perennial_contracts.wire.modelcard import CandidateTrial, Curve

from .axes import WIDTH, Frame, frame, log_span, span
from .curves import thin
from .formatting import duration, number, short, size
from .svg import (
    coordinate,
    dots,
    drawable,
    element,
    finite,
    join,
    label,
    legend,
    line,
    series,
)

MOST_POINTS = 500
LEAST_COST = 1e-3
"""Microseconds. No measured time is shorter."""
LARGEST, SMALLEST = 15.0, 3.5
"""Radii of the markers."""


def candidates(trials: Sequence[CandidateTrial], metric: str, most_p95: int | None) -> Markup:
    """Return a chart of score against p95. The area of a marker shows the size.

    Args:
        trials: the candidates; those without score or p95 are not drawn.
        metric: title of the score.
        most_p95: the budget in microseconds, drawn as a line.
    """
    drawn = [point for trial in trials if (point := _point(trial)) is not None]
    if not drawn:
        return Markup("")
    costs = [point.cost for point in drawn] + ([float(most_p95)] if most_p95 else [])
    axes = frame(
        log_span(costs), span((point.score for point in drawn), 0.12),
        "p95 of one row (logarithmic)", metric, log_x=True, x_text=duration,
    )  # fmt: skip
    kinds = list(dict.fromkeys(point.trial.kind for point in drawn))
    heaviest = max(point.trial.size_bytes or 0 for point in drawn)
    parts = []
    if most_p95:
        at = axes.x(most_p95)
        parts += [
            line(at, axes.y.end, at, axes.y.start, "limit"),
            label("budget", at - 4, axes.y.end + 12, "end"),
        ]
    # Large ones first, so that none is hidden.
    for point in sorted(drawn, key=lambda p: (p.trial.chosen, -(p.trial.size_bytes or 0))):
        parts.append(_marker(axes, point, kinds.index(point.trial.kind), heaviest))
    title = f"{len(drawn)} candidates: {metric} against p95"
    return element("figure", axes.draw(title, join(parts)), legend(kinds))


def predictions(sample: Curve) -> Markup:
    """Return a chart of predictions by truth. On the line both are equal."""
    points = thin(finite(sample.x, sample.y), MOST_POINTS)
    both = span([value for point in points for value in point])
    axes = frame(both, both, "truth", "prediction", x_text=_short, y_text=_short)
    parts = [
        line(axes.x.start, axes.y.start, axes.x.end, axes.y.end, "reference"),
        dots([(axes.x(x), axes.y(y)) for x, y in points], "small c0"),
    ]
    title = "Prediction against truth"
    return element(
        "figure", element("figcaption", element("h3", title)), axes.draw(title, join(parts))
    )


def residuals(sample: Curve) -> Markup:
    """Return a chart of truth minus prediction, by prediction."""
    points = [(y, x - y) for x, y in thin(finite(sample.x, sample.y), MOST_POINTS)]
    axes = frame(
        span(x for x, _ in points), span([0.0, *(y for _, y in points)]),
        "prediction", "truth − prediction", x_text=_short, y_text=_short,
    )  # fmt: skip
    parts = [
        line(axes.x.start, axes.y(0), axes.x.end, axes.y(0), "reference"),
        dots([(axes.x(x), axes.y(y)) for x, y in points], "small c2"),
    ]
    title = "Residuals"
    return element(
        "figure", element("figcaption", element("h3", title)), axes.draw(title, join(parts))
    )


def _short(value: float) -> str:
    return number(value, 3)


@dataclass(frozen=True)
class _Point:
    trial: CandidateTrial
    cost: float
    """p95 in microseconds."""
    score: float


def _point(trial: CandidateTrial) -> _Point | None:
    cost, score = trial.p95_microseconds, trial.mean
    if cost is None or score is None or cost < LEAST_COST:
        return None
    return _Point(trial, cost, score) if drawable(cost) and drawable(score) else None


def _marker(axes: Frame, point: _Point, kind: int, heaviest: int) -> Markup:
    trial = point.trial
    share = (trial.size_bytes or 0) / heaviest if heaviest else 0.0
    radius = max(LARGEST * math.sqrt(share), SMALLEST)
    x, y = axes.x(point.cost), axes.y(point.score)
    title = f"{trial.kind}: {number(point.score)}, p95 {duration(point.cost)}"
    hollow = "" if trial.status == "Done" else " hollow"
    circle = element(
        "circle",
        element("title", f"{title}, {size(trial.size_bytes)}"),
        cx=coordinate(x), cy=coordinate(y), r=coordinate(radius),
        class_=f"marker {series(kind)}{hollow}",
    )  # fmt: skip
    if not trial.chosen:
        return circle
    ring = element(
        "circle", cx=coordinate(x), cy=coordinate(y), r=coordinate(radius + 4), class_="ring"
    )
    # Below the marker, because similar candidates are beside it; above if there is no room.
    under = y + radius + 20
    text_y = under if under < axes.y.start else y - radius - 9
    anchor = "end" if x > WIDTH - 80 else "start" if x < axes.x.start + 50 else "middle"
    return join([circle, ring, label(short(trial.kind, 24), x, text_y, anchor, "pick")])
