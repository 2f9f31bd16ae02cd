"""The rows that neither model has learnt from, and what is told about them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ValidationError

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.run_plan import Plan, TrainingFailure

from ..data.features import Feature, as_text, clean, clean_truth
from ..errors import StepError
from .blocks import cut_blocks
from .compare import Where
from .task import REGRESSION, Task, make_task

PARTS = 3
LEAST_ASIDE = 50


@dataclass(frozen=True)
class Rows:
    """Clean rows with their truth."""

    on: Where
    frame: pd.DataFrame
    truth: np.ndarray
    """Shape (rows,): texts, or float64 where numbers are told."""


def read_rows(
    on: Where, table: pd.DataFrame, features: list[Feature], label: str, task: TaskName
) -> Rows:
    """Cleans the rows of a table.

    Raises:
        StepError: DataUnreadable.
    """
    source = f"the rows of {on}"
    if label not in table.columns or not len(table):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"{source}: expected rows with a column {label}"
        )
    truth = clean_truth(table[label], label, source, task)
    return Rows(
        on, clean(table, features, source), truth if task == "Regression" else as_text(truth)
    )


def set_aside(rows: Rows) -> tuple[Rows, Rows] | None:
    """Rows to choose by, the earlier third, and rows to judge on, the later ones.

    What is chosen as the best of several on some rows looks better on them than it is. One cut in
    time keeps what comes together together. None where one part would tell nothing: with fewer
    rows than LEAST_ASIDE, or of one class alone.
    """
    before = cut_blocks(len(rows.frame), PARTS) == 0
    parts = (_part(rows, before), _part(rows, ~before))
    if before.sum() < LEAST_ASIDE or any(_says_nothing(part.truth) for part in parts):
        return None
    return parts


def _part(rows: Rows, chosen: np.ndarray) -> Rows:
    return Rows(rows.on, rows.frame[chosen].reset_index(drop=True), rows.truth[chosen])


def _says_nothing(truth: np.ndarray) -> bool:
    return bool((truth == truth[0]).all())


def read_summary(path: Path) -> DataSummary:
    """What assemble has told.

    Raises:
        StepError: DataUnreadable.
    """
    try:
        return DataSummary.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"{path}: expected what assemble wrote: {error}"
        ) from error


def find_task(plan: Plan, held_out: list[Rows], labels: list[str]) -> Task:
    """What is told: all labels that occur, or numbers.

    Raises:
        StepError: DataUnreadable for a positive label that does not occur, BadPlan for a metric
            that there is not for this task.
    """
    task = REGRESSION
    if plan.search.task == "Classification":
        found = {*labels, *(label for rows in held_out for label in np.unique(rows.truth))}
        try:
            task = make_task(sorted(found), plan.data.positive)
        except ValueError as error:
            raise StepError(TrainingFailure.DATA_UNREADABLE, f"data.positive: {error}") from error
    metric = plan.gate.metric
    if metric not in task.metrics:
        what = f"{len(task.classes)} labels" if task.classes else "numbers (search.task)"
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"gate.metric: expected one of {', '.join(task.metrics)} for {what}, got {metric}",
        )
    return task
