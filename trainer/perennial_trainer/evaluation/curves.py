"""ROC, precision-recall and calibration curves, for one or several classes."""

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from perennial_contracts.wire.modelcard import Curve

from .task import RowPredictions, Task

MOST_POINTS = 100
CALIBRATION_BINS = 10


def roc(task: Task, truth: np.ndarray, predictions: RowPredictions) -> list[Curve]:
    """Return false positive rate and true positive rate."""
    curves = []
    for label, positive, score in _sides(task, truth, predictions):
        false, true, _ = roc_curve(positive, score)
        curves.append(_curve(label, false, true))
    return curves


def precision_recall(task: Task, truth: np.ndarray, predictions: RowPredictions) -> list[Curve]:
    """Return recall and precision."""
    curves = []
    for label, positive, score in _sides(task, truth, predictions):
        precision, recall, _ = precision_recall_curve(positive, score)
        curves.append(_curve(label, recall[::-1], precision[::-1]))
    return curves


def calibration(task: Task, truth: np.ndarray, predictions: RowPredictions) -> list[Curve]:
    """Return mean predicted probability and observed share, over bins of equal size."""
    curves = []
    for label, positive, score in _sides(task, truth, predictions):
        order = np.argsort(score, kind="stable")
        parts = [part for part in np.array_split(order, CALIBRATION_BINS) if len(part)]
        predicted = np.array([score[part].mean() for part in parts])
        observed = np.array([positive[part].mean() for part in parts])
        curves.append(_curve(label, predicted, observed))
    return curves


def _sides(
    task: Task, truth: np.ndarray, predictions: RowPredictions
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return the classes to draw, each against all others, if both occur."""
    labels = [task.positive] if task.positive is not None else task.classes
    sides = [(label, truth == label, predictions.score(label)) for label in labels]
    return [side for side in sides if 0 < side[1].sum() < len(truth)]


def _curve(label: str, x: np.ndarray, y: np.ndarray) -> Curve:
    points = np.arange(len(x))
    if len(x) > MOST_POINTS:
        # Evenly along the length of the curve, so that steep parts keep their points.
        way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        points = np.unique(np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS)))
    return Curve(name=label, x=np.round(x[points], 4).tolist(), y=np.round(y[points], 4).tolist())
