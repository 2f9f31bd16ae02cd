"""What a fitted model scores on some rows, before there is an ONNX model to ask."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics

from perennial_contracts.quality import MetricName
from perennial_contracts.retrainjob import NUMBER_METRICS
from perennial_contracts.training import TrainingFailure

from ..errors import StepError
from ..features import as_text
from ..scores import Task, make_task

BINARY: tuple[MetricName, ...] = ("roc_auc", "average_precision", "brier")
CLASSES: tuple[MetricName, ...] = (
    "accuracy", "f1", "recall", "precision", "balanced_accuracy", "log_loss", *BINARY,
)  # fmt: skip
REGRESSION = Task([], None)
"""Numbers are learnt: there are no classes."""

_NUMBERS: dict[str, Callable[..., float]] = {
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
}
_SCORES: dict[str, Callable[..., float]] = {
    "roc_auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
}
_LABELS: dict[str, Callable[..., float]] = {
    "f1": metrics.f1_score,
    "recall": metrics.recall_score,
    "precision": metrics.precision_score,
}


def check_task(labels: np.ndarray, positive: str | None, metric: MetricName) -> Task:
    """The task of some labels.

    Args:
        labels: shape (rows,): int64 or texts; float64 where numbers are learnt.
        positive: of two labels the one that the metric is about.
        metric: what models are compared by.

    Raises:
        StepError: OneClass, DataUnreadable for a positive label that does not occur, BadPlan for a
            metric that there is not for these labels.
    """
    if labels.dtype.kind == "f":
        if len(labels) and np.ptp(labels) == 0:
            raise StepError(
                TrainingFailure.ONE_CLASS,
                f"expected rows whose labels differ to learn from, got {len(labels)} rows that are "
                f"all {labels[0]:g}",
            )
        _check_metric(metric, NUMBER_METRICS, "numbers (search.task: Regression)")
        return REGRESSION
    classes = np.unique(as_text(labels))
    if len(classes) < 2:
        raise StepError(
            TrainingFailure.ONE_CLASS,
            f"expected rows of two labels or more to learn from, got {len(labels)} rows that are "
            f"all {classes[0] if len(classes) else 'missing'}",
        )
    try:
        task = make_task(classes.tolist(), positive)
    except ValueError as error:
        raise StepError(TrainingFailure.DATA_UNREADABLE, f"data.positive: {error}") from error
    allowed = tuple(name for name in CLASSES if task.positive is not None or name not in BINARY)
    _check_metric(metric, allowed, f"{len(task.classes)} labels")
    return task


def _check_metric(metric: MetricName, allowed: tuple[MetricName, ...], what: str) -> None:
    if metric not in allowed:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"metric: expected one of {', '.join(allowed)} for {what}, got {metric}",
        )


def score(
    model: Any, frame: pd.DataFrame, labels: np.ndarray, task: Task, metric: MetricName
) -> float:
    """A metric of a fitted model on some rows.

    Args:
        model: a fitted classifier, or a regressor where the task has no classes.
        frame: clean rows.
        labels: shape (rows,), as the model learnt them.
        task: what is told apart.
        metric: one that :func:`check_task` lets pass.
    """
    if not task.classes:
        return float(_NUMBERS[metric](labels, model.predict(frame)))
    truth = as_text(labels)
    if metric == "log_loss" or metric in BINARY:
        probabilities = _probabilities(model, frame, task)
        if metric == "log_loss":
            place = {label: index for index, label in enumerate(task.classes)}
            true = [place[label] for label in truth]
            told = probabilities[np.arange(len(true)), true]
            return float(-np.log(np.clip(told, 1e-15, 1)).mean())
        assert task.positive is not None
        column = task.classes.index(task.positive)
        return float(_SCORES[metric](truth == task.positive, probabilities[:, column]))
    said = as_text(model.predict(frame))
    if metric == "accuracy":
        return float((said == truth).mean())
    if metric == "balanced_accuracy":
        return float(metrics.recall_score(truth, said, labels=np.unique(truth), average="macro"))
    if task.positive is None:
        return float(_LABELS[metric](truth, said, average="macro", zero_division=0.0))
    truth, said = truth == task.positive, said == task.positive
    return float(_LABELS[metric](truth, said, zero_division=0.0))


def _probabilities(model: Any, frame: pd.DataFrame, task: Task) -> np.ndarray:
    """Shape (rows, classes), in the task's order; 0 for a class that the model has not met."""
    told = model.predict_proba(frame)
    by_class = np.zeros((len(frame), len(task.classes)))
    for column, label in enumerate(model.classes_):
        by_class[:, task.classes.index(str(label))] = told[:, column]
    return by_class
