"""The step: from the store to INPUT and HOLDOUT."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from perennial_contracts.api.duration import seconds
from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.bundle import MANIFEST_NAME, Bundle
from perennial_contracts.wire.capture import LABEL, TIME
from perennial_contracts.wire.run_plan import (
    CHAMPION_FOLDER,
    LEARNT_UNTIL,
    PLAN_FILE,
    RECENT_FILE,
    REFERENCE_FILE,
    SUMMARY_FILE,
    TRAIN_FILE,
    Plan,
    TrainingFailure,
)
from perennial_storage.folder import Folder

from ..bundle import champion, extra
from ..data import baseline as baselines
from ..data import join as capture
from ..data import labels as labelling
from ..data import tables
from ..data.features import Feature, as_text, clean, clean_numbers, clean_truth, infer
from ..data.split import Assembled, Rows, arrange, moment
from ..errors import StepError, reading_data
from ..log import log
from ..settings import StepSettings


def run(plan: Plan, settings: StepSettings) -> None:
    """Gathers the rows and writes them.

    Raises:
        StepError: NoLabels, TooFewRows, OneClass, DataUnreadable or BadPlan.
        StorageError: if a store or the champion cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="perennial-") as scratch:
        assembled = gather(plan, Path(scratch), settings.retry_seconds)
        for folder in (settings.input, settings.holdout):
            folder.mkdir(parents=True, exist_ok=True)
        extra.leave_champion(Path(scratch) / CHAMPION_FOLDER, settings.input)
    label = plan.data.label
    tables.write(assembled.train.table(label), settings.input / TRAIN_FILE)
    tables.write(assembled.recent.table(label), settings.holdout / RECENT_FILE)
    if assembled.reference is not None:
        tables.write(assembled.reference.table(label), settings.holdout / REFERENCE_FILE)
    summary = assembled.summary.model_dump_json(exclude_none=True)
    for folder in (settings.input, settings.holdout):
        (folder / SUMMARY_FILE).write_text(summary)
    (settings.input / PLAN_FILE).write_text(plan.model_dump_json(exclude_none=True, indent=1))
    log(summary)


def gather(plan: Plan, scratch: Path, retry_seconds: float) -> Assembled:
    """The rows of a run.

    Raises:
        StepError: as :func:`run`.
    """
    data = plan.data
    features, answered = _signature(plan, scratch / CHAMPION_FOLDER, retry_seconds)
    base = None
    if data.baseline:
        read = baselines.fetch(data.baseline, data.label, scratch, retry_seconds)
        features = features or infer(read.table, data.label)
        base = Rows(
            clean(read.table, features, read.uri),
            clean_truth(read.table[data.label], data.label, read.uri, plan.search.task),
        )
        log(f"{read.uri}: {len(base)} rows, {len(features)} features")
    if any(feature.name == data.label for feature in features or ()):
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"data.label: expected a name that no input of the model has, got {data.label}",
        )
    if features is None:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            "expected a champion or data.baseline, which say the features, got neither",
        )
    found = None
    if plan.captured:
        known = None
        if plan.search.task == "Classification":
            known = labelling.known(answered, base.labels if base else None)
        found = _captured(plan, features, known, base, scratch, retry_seconds)
    until = _learnt_until(scratch / CHAMPION_FOLDER / MANIFEST_NAME)
    assembled = arrange(found, base, data, plan.search.seed, until)
    if plan.search.task == "Classification":
        for rows, what in ((assembled.train, "to learn from"), (assembled.recent, "to judge on")):
            _check_classes(rows, what)
    return assembled


def _check_classes(rows: Rows, what: str) -> None:
    classes = np.unique(as_text(rows.labels))
    if len(classes) < 2:
        raise StepError(
            TrainingFailure.ONE_CLASS,
            f"expected rows of two labels or more {what}, got {len(rows)} rows that are all "
            f"{classes[0] if len(classes) else 'missing'}",
        )


def _learnt_until(manifest: Path) -> str | None:
    if not manifest.is_file():
        return None
    # It was read as the champion was fetched.
    return Bundle.model_validate_json(manifest.read_bytes()).lineage.get(LEARNT_UNTIL)


def _signature(
    plan: Plan, scratch: Path, retry_seconds: float
) -> tuple[Sequence[Feature] | None, list[str] | None]:
    """The champion's features and labels; None where there is no champion, or it does not say."""
    if plan.champion is None:
        return None, None
    scratch.mkdir()
    model = champion.fetch(plan.champion, scratch, retry_seconds)
    log(f"{plan.champion.uri}: {len(model.features)} features")
    return model.features, model.labels


def _captured(
    plan: Plan,
    features: Sequence[Feature],
    known: set[str] | None,
    base: Rows | None,
    scratch: Path,
    retry_seconds: float,
) -> tuple[Rows, DataSummary]:
    assert plan.captured is not None
    data = plan.data
    try:
        window = capture.Window.before(plan.now, seconds(data.window))
    except ValueError as error:
        raise StepError(TrainingFailure.BAD_PLAN, f"now, data.window: {error}") from error
    with reading_data():
        folder = Folder(plan.captured, capture.FIELD, retry_seconds)
    capture.fetch(folder, plan.model, window, scratch)
    found = capture.join(folder, features, window, data.maxRows, scratch)
    rows, what = found.rows, f"predictions of {plan.model} captured in the last {data.window}"
    if found.predictions and not len(rows):
        raise StepError(
            TrainingFailure.NO_LABELS,
            f"{found.predictions:,} {what}, and none of them has a label. Send "
            "the true labels back to the model's feedback path, each with its prediction id",
        )
    texts = as_text(rows[LABEL])
    learnable = labelling.can_be_learnt(texts, known, plan.search.task)
    left_out = labelling.left_out(texts[~learnable], plan.search.task)
    if left_out:
        log(left_out)
    rows, texts = rows[learnable].reset_index(drop=True), texts[learnable]
    if len(rows) < data.minRows:
        raise StepError(
            TrainingFailure.TOO_FEW_ROWS,
            f"expected at least {data.minRows:,} rows with a label (data.minRows), got "
            f"{len(rows):,} of {found.predictions:,} {what}{left_out and f'. {left_out}'}",
        )
    log(f"{len(rows):,} of {found.predictions:,} {what} have a label")
    times = rows[TIME]
    summary = DataSummary(
        digest="",
        rows=0,
        captured=len(rows),
        leftOut=int((~learnable).sum()),
        start=moment(times.iloc[0]),
        end=moment(times.iloc[-1]),
    )
    source = folder.describe(f"predictions/model={plan.model}")
    frame = clean(rows, features, source)
    if plan.search.task == "Regression":
        return Rows(frame, clean_numbers(rows[LABEL], data.label, source), times), summary
    # A label that stands for a number is one only if all do.
    numbers = base.labels.dtype.kind == "i" if base is not None else labelling.are_whole(set(texts))
    broken = [text for text in texts if numbers and not labelling.are_whole([text])]
    if broken:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"labels of {plan.model}: expected whole numbers, as {data.label} of the baseline has, "
            f"got {broken[0]!r}",
        )
    return Rows(frame, labelling.as_kind(texts, numbers), times), summary
