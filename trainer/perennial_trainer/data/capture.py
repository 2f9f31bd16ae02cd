"""Captured predictions as training rows: fetched, joined with labels, checked."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from perennial_contracts.api.duration import seconds
from perennial_contracts.wire.capture import LABEL, TIME
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import Plan, TrainingFailure
from perennial_storage.errors import StorageError
from perennial_storage.folder import Folder

from ..errors import StepError, reading_data
from ..log import log
from . import labels as labelling
from .features import Feature, clean
from .join import JoinedRows, TimeRange, join
from .labels import as_text, clean_numbers
from .rows import CapturedRows, LabelledRows

DOWNLOADS = 8
"""Most files that are fetched at the same time."""
FIELD = "monitoring.capture.uri of the ModelDeployment"


def read(
    plan: Plan,
    features: Sequence[Feature],
    classes: Collection[str] | None,
    baseline: LabelledRows | None,
    scratch: Path,
    retry_seconds: float,
) -> CapturedRows:
    """Return the newest captured rows of the plan's window that have a label.

    Args:
        plan: the plan, with a capture URI.
        features: the columns.
        classes: the classes of champion and baseline; None if they are not known.
        baseline: the rows of the baseline, whose labels decide the type of all labels.
        scratch: an empty folder for the files.
        retry_seconds: how long to retry a store that cannot be reached.

    Raises:
        StorageError: AccessDenied or StoreUnreachable.
        StepError: BadPlan, NoLabels, TooFewRows or DataUnreadable.
    """
    assert plan.captured is not None
    window = _time_range(plan)
    with reading_data():
        folder = Folder(plan.captured, FIELD, retry_seconds)
        fetch(folder, plan.model, window, scratch)
    joined = join(folder, features, window, plan.data.maxRows, scratch)
    table, left_out = _keep_learnable(plan, joined, classes)
    source = folder.describe(f"predictions/model={plan.model}")
    frame = clean(table, features, source)
    return CapturedRows(
        LabelledRows(frame, _clean_labels(plan, table, baseline, source), table[TIME]), left_out
    )


def fetch(folder: Folder, model: str, window: TimeRange, scratch: Path) -> None:
    """Copy the files of the window's days to this machine, at the same relative paths.

    A label arrives after its prediction, so only the labels of these days matter.

    Raises:
        StorageError: AccessDenied or StoreUnreachable; ModelNotFound if the bucket does not exist.
    """
    paths = [
        path
        for kind in ("predictions", "labels")
        for path in folder.list(f"{kind}/model={model}")
        if path.endswith(".parquet") and window.has_day(path)
    ]
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        list(pool.map(lambda path: _copy(folder, path, scratch / path), paths))


def _copy(folder: Folder, path: str, target: Path) -> None:
    try:
        folder.download(path, target)
    except StorageError as error:
        if error.reason is not LoadFailure.MODEL_NOT_FOUND:
            raise
        target.unlink(missing_ok=True)  # expired since the files were listed


def _time_range(plan: Plan) -> TimeRange:
    try:
        return TimeRange.before(plan.now, seconds(plan.data.window))
    except ValueError as error:
        raise StepError(TrainingFailure.BAD_PLAN, str(error), field="now, data.window") from error


def _keep_learnable(
    plan: Plan, joined: JoinedRows, classes: Collection[str] | None
) -> tuple[pd.DataFrame, int]:
    """Return the rows with a valid label, and the number of the others."""
    table = joined.rows
    origin = f"predictions of {plan.model} captured in the last {plan.data.window}"
    if joined.predictions and not len(table):
        raise StepError(
            TrainingFailure.NO_LABELS,
            f"{joined.predictions:,} {origin}, and none of them has a label",
            hint="Send the true labels back to the model's feedback path, each with its "
            "prediction id",
        )
    texts = as_text(table[LABEL])
    learnable = labelling.find_learnable(texts, classes, plan.search.task)
    skipped = labelling.describe_skipped(texts[~learnable], plan.search.task)
    if skipped:
        log(skipped)
    table = table[learnable].reset_index(drop=True)
    if len(table) < plan.data.minRows:
        raise StepError(
            TrainingFailure.TOO_FEW_ROWS,
            f"expected at least {plan.data.minRows:,} rows with a label (data.minRows), got "
            f"{len(table):,} of {joined.predictions:,} {origin}",
            hint=skipped,
        )
    log(f"{len(table):,} of {joined.predictions:,} {origin} have a label")
    return table, int((~learnable).sum())


def _clean_labels(
    plan: Plan, table: pd.DataFrame, baseline: LabelledRows | None, source: str
) -> np.ndarray:
    name = plan.data.label
    if plan.search.task == "Regression":
        return clean_numbers(table[LABEL], name, source)
    texts = as_text(table[LABEL])
    # Labels are numbers only if all of them are.
    whole = (
        baseline.labels.dtype.kind == "i"
        if baseline is not None
        else labelling.are_whole(set(texts))
    )
    invalid = [text for text in texts if whole and not labelling.are_whole([text])]
    if invalid:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"labels of {plan.model}: expected whole numbers, as in {name} of the baseline, "
            f"got {invalid[0]!r}",
        )
    return labelling.parse(texts, whole)
