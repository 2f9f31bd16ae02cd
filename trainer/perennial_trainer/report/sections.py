"""The values that the templates of the sections need beside the model card.

The function of a section computes its charts and the order of its rows. The template of the same
name lays them out and formats the numbers; a section whose template renders nothing is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from perennial_contracts.stats.quality import ERRORS, RELATIVE
from perennial_contracts.wire.modelcard import Curve, ModelCard, Score, Side, Slice
from perennial_contracts.wire.profile import Distribution, Profile

from . import scatter
from .axes import span
from .curves import curves
from .formatting import metric, percent, score, signed
from .heat_map import HeatMap, build_heat_map
from .histogram import figure
from .intervals import Whiskers, gauge
from .svg import drawable

MOST_SLICES = 80
MOST_PREDICTED_LABELS = 12
"""Limit of the bars of the predicted labels."""
SHOWN_FEATURES = 24
"""Number of features outside the folded part."""
ROWS_OF = {"Recent": "Recent rows", "Reference": "Rows of the baseline"}
"""Titles of the sets of held-out rows."""


@dataclass(frozen=True)
class ReportInput:
    """The facts that a page shows."""

    card: ModelCard
    profile: Profile | None
    champion_profile: Profile | None


@dataclass(frozen=True)
class Tile:
    """A metric with its gauge."""

    score: Score
    dummy: float | None
    leads: bool
    """This is the metric that the search compared by."""
    gauge: Markup | None


def metrics(given: ReportInput) -> Mapping[str, Any]:
    """Return a tile for each metric, first the one that the search compared by."""
    card, evaluation = given.card, given.card.evaluation
    if evaluation is None:
        return {"tiles": []}
    dummies = {dummy.metric: dummy.value for dummy in evaluation.dummy}
    tiles = []
    for found in sorted(evaluation.scores, key=lambda found: found.metric != card.metric):
        dummy = dummies.get(found.metric)
        drawn = gauge(found, dummy) if drawable(found.value) else None
        tiles.append(Tile(found, dummy, found.metric == card.metric, drawn))
    return {"tiles": tiles}


@dataclass(frozen=True)
class GainRow:
    """A metric of champion and challenger."""

    side: Side
    picture: Markup
    gain: str
    between: str


def comparison(given: ReportInput) -> Mapping[str, Any]:
    """Return a table of gains for each set of held-out rows."""
    tables = []
    for on, title in ROWS_OF.items():
        sides = [side for side in given.card.comparisons if side.on == on]
        if sides:
            tables.append({"title": title, "rows": sides[0].rows, **_gains(sides)})
    return {"tables": tables}


def _gains(sides: list[Side]) -> Mapping[str, Any]:
    # Metrics without an upper end have units of their own, so they do not share the others' scale.
    reach = max((_reach(side) for side in sides if _is_share(side)), default=0.0)
    shared = _gain_column(reach)
    rows = []
    for side in sides:
        column = shared if _is_share(side) else _gain_column(_reach(side))
        gain = _gain(side)
        written = signed if _is_share(side) else percent
        low, high = written(side.low), written(side.high)
        colour = "c0" if side.low > 0 else "c1" if side.high < 0 else "c2"
        title = f"gain between {low} and {high}"
        picture = column.draw(title, gain, side.low, side.high, colour)
        rows.append(GainRow(side, picture, written(gain), f"{low} to {high}"))
    return {"axis": shared.axis() if reach else "", "gains": rows}


def _is_share(side: Side) -> bool:
    return side.metric not in RELATIVE


def _reach(side: Side) -> float:
    return max(abs(side.low), abs(side.high), abs(_gain(side)))


def _gain_column(reach: float) -> Whiskers:
    return Whiskers(-(reach or 1.0) * 1.05, (reach or 1.0) * 1.05, 0.0)


def _gain(side: Side) -> float:
    """Return the gain on the scale of the side's interval.

    For errors without an upper end, that is a share of the champion's error.
    """
    gained = side.challenger - side.champion
    if side.metric in ERRORS:
        gained = -gained
    if side.metric in RELATIVE and side.champion:
        gained /= abs(side.champion)
    return gained


def answers(given: ReportInput) -> Mapping[str, Any]:
    """Return the confusion matrix, preceded by that of the champion."""
    card, found = given.card, given.card.evaluation
    maps: list[HeatMap] = []
    if found is not None and _is_square(found.matrix, len(found.classes)):
        if _is_square(card.champion_matrix, len(found.classes)):
            maps.append(build_heat_map("Champion", card.champion_matrix, found.classes))
        title = "Challenger" if maps else "The model"
        maps.append(build_heat_map(title, found.matrix, found.classes))
    return {"maps": maps}


def _is_square(matrix: list[list[int]], classes: int) -> bool:
    return bool(matrix) and len(matrix) == classes and all(len(row) == classes for row in matrix)


def curve_charts(given: ReportInput) -> Mapping[str, Any]:
    """Return the charts of ROC, precision over recall, and calibration."""
    found = given.card.evaluation
    charts: list[Markup] = []
    if found is None:
        return {"charts": charts}
    if _has_points(found.roc):
        axes = ("false positive rate", "true positive rate")
        charts.append(curves("ROC", found.roc, *axes, diagonal=True))
    if _has_points(found.precision_recall):
        charts.append(curves("Precision and recall", found.precision_recall, "recall", "precision"))
    if _has_points(found.calibration):
        axes = ("mean predicted probability", "observed share")
        charts.append(curves("Calibration", found.calibration, *axes, diagonal=True, marks=True))
    return {"charts": charts}


def _has_points(found: list[Curve]) -> bool:
    return any(curve.x for curve in found)


def errors(given: ReportInput) -> Mapping[str, Any]:
    """Return the charts of a regression: predictions and residuals."""
    found = given.card.evaluation
    if found is None or found.residuals is None or not found.residuals.x:
        return {"charts": []}
    return {"charts": [scatter.predictions(found.residuals), scatter.residuals(found.residuals)]}


@dataclass(frozen=True)
class SliceRow:
    """The score of some rows."""

    part: Slice
    picture: Markup


def slices(given: ReportInput) -> Mapping[str, Any]:
    """Return a table for each metric that slices were measured by."""
    found = given.card.evaluation
    if found is None:
        return {"tables": []}
    whole = {total.metric: total.value for total in found.scores}
    shown = sorted(found.slices[:MOST_SLICES], key=lambda part: part.score.metric)
    tables = [
        {"metric": name, **_slices(name, list(parts), whole.get(name))}
        for name, parts in groupby(shown, key=lambda part: part.score.metric)
    ]
    return {"tables": tables, "most": MOST_SLICES}


def _slices(name: str, parts: list[Slice], whole: float | None) -> Mapping[str, Any]:
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
    rows = []
    for part in parts:
        title = f"{metric(name)} {score(part.score.value)}"
        found, colour = part.score, _slice_colour(part, whole)
        picture = column.draw(title, found.value, found.low, found.high, colour)
        rows.append(SliceRow(part, picture))
    return {"axis": column.axis(), "slices": rows}


def _slice_colour(part: Slice, whole: float | None) -> str:
    low, high = part.score.low, part.score.high
    if whole is None or low is None or high is None:
        return "c2"
    worse = low > whole if part.score.metric in ERRORS else high < whole
    return "c1" if worse else "c2"


def candidates(given: ReportInput) -> Mapping[str, Any]:
    """Return the chart of score against cost."""
    card = given.card
    title = metric(card.metric) if card.metric else "score"
    chart = scatter.candidates(card.trials, title, card.budget.get("p95Microseconds"))
    costs = any(t.p95_microseconds is not None or t.size_bytes is not None for t in card.trials)
    return {"title": title, "chart": chart, "costs": costs}


def compression(given: ReportInput) -> Mapping[str, Any]:
    """Return the columns of the table of trials, and the largest values of its bars."""
    trials = given.card.compression
    return {
        "metric_title": next((metric(t.metric) for t in trials if t.metric), "score"),
        "largest": max((trial.size_bytes or 0 for trial in trials), default=0),
        "slowest": max((trial.p95_microseconds or 0.0 for trial in trials), default=0.0),
        "controls": any(trial.control is not None for trial in trials),
        "batches": any(trial.batch_p50_microseconds is not None for trial in trials),
    }


def profile(given: ReportInput) -> Mapping[str, Any]:
    """Return histograms of score and label, then of the features."""
    found, champion = given.profile, given.champion_profile
    if found is None:
        return {"outputs": [], "features": []}
    before = {feature.name: feature for feature in champion.features} if champion else {}
    outputs: list[tuple[Distribution | None, Distribution | None, str]] = [
        (found.score, champion.score if champion else None, "Score"),
        (found.label, champion.label if champion else None, "Prediction"),
    ]
    return {
        "outputs": [
            figure(seen, old, title, MOST_PREDICTED_LABELS)
            for seen, old, title in outputs
            if seen is not None
        ],
        "features": [figure(feature, before.get(feature.name)) for feature in found.features],
        "shown": SHOWN_FEATURES,
    }


def nothing(given: ReportInput) -> Mapping[str, Any]:
    """Return no values: the template needs only the card."""
    return {}
