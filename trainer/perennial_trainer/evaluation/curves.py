"""ROC, precision over recall, and calibration: one curve, or one for each of several classes."""

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from perennial_contracts.wire.modelcard import Curve

from .task import Answers, Task

MOST_POINTS = 100
CALIBRATION_BINS = 10


def roc(task: Task, truth: np.ndarray, answers: Answers) -> list[Curve]:
    """False positive rate and true positive rate."""
    curves = []
    for label, positive, score in _sides(task, truth, answers):
        false, true, _ = roc_curve(positive, score)
        curves.append(_curve(label, false, true))
    return curves


def precision_recall(task: Task, truth: np.ndarray, answers: Answers) -> list[Curve]:
    """Recall and precision."""
    curves = []
    for label, positive, score in _sides(task, truth, answers):
        precision, recall, _ = precision_recall_curve(positive, score)
        curves.append(_curve(label, recall[::-1], precision[::-1]))
    return curves


def calibration(task: Task, truth: np.ndarray, answers: Answers) -> list[Curve]:
    """Mean predicted probability and observed share, over bins of about equal numbers of rows."""
    curves = []
    for label, positive, score in _sides(task, truth, answers):
        order = np.argsort(score, kind="stable")
        parts = [part for part in np.array_split(order, CALIBRATION_BINS) if len(part)]
        told = np.array([score[part].mean() for part in parts])
        seen = np.array([positive[part].mean() for part in parts])
        curves.append(_curve(label, told, seen))
    return curves


def _sides(
    task: Task, truth: np.ndarray, answers: Answers
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The curves' classes, each against all others, where both occur."""
    labels = [task.positive] if task.positive is not None else task.classes
    sides = [(label, truth == label, answers.score(label)) for label in labels]
    return [side for side in sides if 0 < side[1].sum() < len(truth)]


def _curve(label: str, x: np.ndarray, y: np.ndarray) -> Curve:
    places = np.arange(len(x))
    if len(x) > MOST_POINTS:
        # Evenly along the way that the pen goes, so that steep parts keep their points.
        way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        places = np.unique(np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS)))
    return Curve(name=label, x=np.round(x[places], 4).tolist(), y=np.round(y[places], 4).tolist())
