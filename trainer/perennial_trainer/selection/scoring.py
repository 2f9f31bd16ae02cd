"""What a fitted model scores on some rows, before there is an ONNX model to ask."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.run_plan import TrainingFailure

from ..data.features import as_text
from ..errors import StepError
from ..evaluation.scores import measure
from ..evaluation.task import REGRESSION, Answers, Task, make_task


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
        _check_metric(metric, REGRESSION.metrics, "numbers (search.task: Regression)")
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
    _check_metric(metric, task.metrics, f"{len(task.classes)} labels")
    return task


def _check_metric(metric: MetricName, allowed: Sequence[MetricName], what: str) -> None:
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
        said = Answers.of_numbers(model.predict(frame))
        return measure(task, labels, said).value(metric)
    classes = [str(label) for label in model.classes_]
    said = Answers(as_text(model.predict(frame)), model.predict_proba(frame), classes)
    return measure(task, as_text(labels), said).value(metric)
