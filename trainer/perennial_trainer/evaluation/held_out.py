"""The held-out rows, which neither model has learned from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ValidationError

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.run_plan import Plan, TrainingFailure

from ..data.features import Feature, clean
from ..data.labels import as_text, clean_truth
from ..errors import StepError
from .bootstrap import cut_blocks
from .compare import RowSet
from .task import REGRESSION, RowPredictions, Task, make_task

PARTS = 3
LEAST_ASIDE = 50


@dataclass(frozen=True)
class HeldOutRows:
    """Clean rows with their truth."""

    on: RowSet
    frame: pd.DataFrame
    truth: np.ndarray
    """Shape (rows,): texts, or float64 for a regression."""


@dataclass(frozen=True)
class PredictedRows:
    """Clean rows in the order of time, with their truth and a model's predictions."""

    task: Task
    features: list[Feature]
    frame: pd.DataFrame
    truth: np.ndarray
    """Shape (rows,): texts, or float64 for a regression."""
    predictions: RowPredictions


def read_rows(
    on: RowSet, table: pd.DataFrame, features: list[Feature], label: str, task: TaskName
) -> HeldOutRows:
    """Clean the rows of a table.

    Raises:
        StepError: DataUnreadable.
    """
    source = f"the rows of {on}"
    if label not in table.columns or not len(table):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"expected rows with a column {label}", field=source
        )
    truth = clean_truth(table[label], label, source, task)
    return HeldOutRows(
        on, clean(table, features, source), truth if task == "Regression" else as_text(truth)
    )


def set_aside(rows: HeldOutRows) -> tuple[HeldOutRows, HeldOutRows] | None:
    """Split rows into the earlier third, which chooses, and the later, which judge.

    A model that was chosen as the best of several on some rows looks better on them than it is.
    There is one cut in time, so that rows that are alike stay together.

    Returns:
        None if one part is too small (LEAST_ASIDE) or has one class only.
    """
    before = cut_blocks(len(rows.frame), PARTS) == 0
    parts = (_part(rows, before), _part(rows, ~before))
    if before.sum() < LEAST_ASIDE or any(_is_constant(part.truth) for part in parts):
        return None
    return parts


def _part(rows: HeldOutRows, chosen: np.ndarray) -> HeldOutRows:
    return HeldOutRows(rows.on, rows.frame[chosen].reset_index(drop=True), rows.truth[chosen])


def _is_constant(truth: np.ndarray) -> bool:
    return bool((truth == truth[0]).all())


def read_summary(path: Path) -> DataSummary:
    """Read the summary that assemble wrote.

    Raises:
        StepError: DataUnreadable.
    """
    try:
        return DataSummary.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected the summary of assemble: {error}",
            field=str(path),
        ) from error


def find_task(plan: Plan, held_out: list[HeldOutRows], labels: list[str]) -> Task:
    """Return the task of the plan; its classes are all labels that occur.

    Raises:
        StepError: DataUnreadable for a positive label that does not occur, BadPlan for a metric
            that does not exist for the task.
    """
    task = REGRESSION
    if plan.search.task == "Classification":
        found = {*labels, *(label for rows in held_out for label in np.unique(rows.truth))}
        try:
            task = make_task(sorted(found), plan.data.positive)
        except ValueError as error:
            raise StepError(
                TrainingFailure.DATA_UNREADABLE, str(error), field="data.positive"
            ) from error
    metric = plan.gate.metric
    if metric not in task.metrics:
        kind = f"{len(task.classes)} labels" if task.classes else "numbers (search.task)"
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"expected one of {', '.join(task.metrics)} for {kind}, got {metric}",
            field="gate.metric",
        )
    return task
