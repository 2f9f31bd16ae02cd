"""How good the model is: metrics, right and wrong answers, curves, residuals."""

from perennial_contracts.wire.modelcard import Curve, ModelCard

from ..curves import curves
from ..heat_map import MOST_CLASSES, heat_map, mixed_up
from ..markup import Markup, element, join, note
from ..scatter import predictions, residuals
from ..tiles import tiles

MANY_CLASSES = 5
"""From here on the most frequent mistakes are listed too."""


def metrics(card: ModelCard) -> Markup:
    """The tiles."""
    found = card.evaluation
    if found is None or not found.scores:
        return Markup("")
    said = f"On {found.rows:,} held-out rows, which the model has not learnt from."
    if any(score.low is not None for score in found.scores):
        said += " The intervals are 95 %, by a bootstrap over blocks of rows."
    if found.positive is not None:
        said += f" Scores are about the class {found.positive}."
    if found.dummy:
        what = "the prior of the classes" if found.task == "Classification" else "the median"
        said += f" The dummy (the short mark) has learnt nothing: it answers {what}."
    return join([tiles(found, card.metric), note(said)])


def answers(card: ModelCard) -> Markup:
    """The confusion matrix, the champion's beside it."""
    found = card.evaluation
    if found is None or not _is_square(found.matrix, len(found.classes)):
        return Markup("")
    classes = found.classes
    maps = []
    if _is_square(card.champion_matrix, len(classes)):
        maps.append(heat_map("Champion", card.champion_matrix, classes))
    title = "Challenger" if maps else "The model"
    maps.append(heat_map(title, found.matrix, classes))
    if MANY_CLASSES < len(classes) <= MOST_CLASSES:
        maps.append(element("figure", mixed_up(title, found.matrix, classes)))
    said = "A share is one of the rows whose truth is the row's. Green is right, red is wrong."
    return join([element("div", *maps, class_="beside"), note(said)])


def curve_charts(card: ModelCard) -> Markup:
    """ROC, precision over recall, calibration."""
    found = card.evaluation
    if found is None:
        return Markup("")
    charts = []
    if _drawable(found.roc):
        charts.append(
            curves("ROC", found.roc, "false positive rate", "true positive rate", diagonal=True)
        )
    if _drawable(found.precision_recall):
        charts.append(curves("Precision and recall", found.precision_recall, "recall", "precision"))
    if _drawable(found.calibration):
        charts.append(
            curves(
                "Calibration", found.calibration, "mean predicted probability", "observed share",
                diagonal=True, marks=True,
            )
        )  # fmt: skip
    if not charts:
        return Markup("")
    said = ["On held-out rows."]
    if found.roc:
        said.append("The dashed line of ROC is chance.")
    if found.calibration:
        said.append(
            "Calibration: bins of equal counts; on the dashed line a probability is what it says."
        )
    return join([element("div", *charts, class_="charts"), note(" ".join(said))])


def errors(card: ModelCard) -> Markup:
    """Of a regression: predictions and residuals."""
    sample = card.evaluation.residuals if card.evaluation else None
    if sample is None or not sample.x:
        return Markup("")
    charts = element("div", predictions(sample), residuals(sample), class_="charts")
    return join([charts, note("A sample of the held-out rows. On the dashed line it is exact.")])


def _is_square(matrix: list[list[int]], classes: int) -> bool:
    return bool(matrix) and len(matrix) == classes and all(len(row) == classes for row in matrix)


def _drawable(drawn: list[Curve]) -> bool:
    return any(curve.x for curve in drawn)
