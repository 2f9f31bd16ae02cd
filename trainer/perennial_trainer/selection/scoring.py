"""The score of a fitted scikit-learn model, before there is an ONNX model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.run_plan import TrainingFailure

from ..data.labels import as_text
from ..errors import StepError
from ..evaluation.scores import measure
from ..evaluation.task import REGRESSION, RowPredictions, Task, make_task


def check_task(labels: np.ndarray, positive: str | None, metric: MetricName) -> Task:
    """Return the task of labels.

    Args:
        labels: shape (rows,): int64 or texts; float64 for a regression.
        positive: the one of two labels that the metric is about.
        metric: the metric of the search.

    Raises:
        StepError: OneClass; DataUnreadable for a positive label that does not occur; BadPlan for a
            metric that does not exist for these labels.
    """
    if labels.dtype.kind == "f":
        if len(labels) and np.ptp(labels) == 0:
            raise StepError(
                TrainingFailure.ONE_CLASS,
                f"expected rows with different labels to train on, got {len(labels)} rows that are "
                f"all {labels[0]:g}",
            )
        _check_metric(metric, REGRESSION.metrics, "numbers (search.task: Regression)")
        return REGRESSION
    classes = np.unique(as_text(labels))
    if len(classes) < 2:
        raise StepError(
            TrainingFailure.ONE_CLASS,
            f"expected rows of two labels or more to train on, got {len(labels)} rows that are "
            f"all {classes[0] if len(classes) else 'missing'}",
        )
    try:
        task = make_task(classes.tolist(), positive)
    except ValueError as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, str(error), field="data.positive"
        ) from error
    _check_metric(metric, task.metrics, f"{len(task.classes)} labels")
    return task


def _check_metric(metric: MetricName, allowed: Sequence[MetricName], labels: str) -> None:
    if metric not in allowed:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"expected one of {', '.join(allowed)} for {labels}, got {metric}",
            field="metric",
        )


def score(
    model: Any, frame: pd.DataFrame, labels: np.ndarray, task: Task, metric: MetricName
) -> float:
    """Return a metric of a fitted model on some rows.

    Args:
        model: a fitted classifier, or a regressor if the task has no classes.
        frame: clean rows.
        labels: shape (rows,), as the model learned them.
        task: the task.
        metric: a metric that :func:`check_task` accepts.
    """
    if not task.classes:
        predictions = RowPredictions.of_numbers(model.predict(frame))
        return measure(task, labels, predictions).value(metric)
    classes = [str(label) for label in model.classes_]
    predictions = RowPredictions(as_text(model.predict(frame)), model.predict_proba(frame), classes)
    return measure(task, as_text(labels), predictions).value(metric)
