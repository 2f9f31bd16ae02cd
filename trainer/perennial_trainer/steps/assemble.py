"""The step ``assemble``: rows from the store into INPUT and HOLDOUT."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from perennial_contracts.wire.run_plan import (
    CHAMPION_FOLDER,
    PLAN_FILE,
    RECENT_FILE,
    REFERENCE_FILE,
    SUMMARY_FILE,
    TRAIN_FILE,
    Plan,
    TrainingFailure,
)
from perennial_storage.uris import without_secrets

from ..bundle import champion as champions
from ..bundle import extra
from ..bundle.champion import Champion
from ..data import baseline as baselines
from ..data import capture, tables
from ..data.baseline import BaselineTable
from ..data.features import Feature, infer
from ..data.labels import as_text, known_classes
from ..data.rows import CapturedRows, LabelledRows
from ..data.split import Datasets, split
from ..errors import StepError
from ..log import log
from ..settings import StepSettings


def run(plan: Plan, settings: StepSettings) -> None:
    """Gather the rows of a run and write them.

    Raises:
        StepError: NoLabels, TooFewRows, OneClass, DataUnreadable or BadPlan.
        StorageError: if a store or the champion cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="perennial-") as scratch:
        datasets = gather(plan, Path(scratch), settings.retry_seconds)
        for folder in (settings.input, settings.holdout):
            folder.mkdir(parents=True, exist_ok=True)
        extra.copy_champion(Path(scratch) / CHAMPION_FOLDER, settings.input)
    _write(datasets, plan, settings)


def gather(plan: Plan, scratch: Path, retry_seconds: float) -> Datasets:
    """Read, join, check and split the rows of a run.

    Raises:
        StepError, StorageError: as :func:`run`.
    """
    champion = _fetch_champion(plan, scratch / CHAMPION_FOLDER, retry_seconds)
    table = _fetch_baseline(plan, scratch, retry_seconds)
    features = _choose_features(plan, champion, table)
    baseline = table.rows(features, plan.search.task) if table else None
    captured = _read_captured(plan, features, champion, baseline, scratch, retry_seconds)
    until = champion.learnt_until if champion else None
    datasets = split(captured, baseline, plan.data, plan.search.seed, until)
    if plan.search.task == "Classification":
        _check_classes(datasets.train, "to train on")
        _check_classes(datasets.recent, "to judge on")
    return datasets


def _fetch_champion(plan: Plan, folder: Path, retry_seconds: float) -> Champion | None:
    if plan.champion is None:
        return None
    folder.mkdir()
    champion = champions.fetch(plan.champion, folder, retry_seconds)
    log(f"{without_secrets(plan.champion.uri)}: {len(champion.features)} features")
    return champion


def _fetch_baseline(plan: Plan, scratch: Path, retry_seconds: float) -> BaselineTable | None:
    if not plan.data.baseline:
        return None
    table = baselines.fetch(plan.data.baseline, plan.data.label, scratch, retry_seconds)
    log(f"{table.uri}: {len(table.table)} rows")
    return table


def _choose_features(
    plan: Plan, champion: Champion | None, table: BaselineTable | None
) -> Sequence[Feature]:
    """Return the champion's features, or those of the baseline for a first model."""
    if champion is not None:
        features = champion.features
    elif table is not None:
        features = infer(table.table, table.label)
    else:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            "expected a champion or data.baseline, which have the features, got neither",
        )
    if any(feature.name == plan.data.label for feature in features):
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"expected a name that no input of the model has, got {plan.data.label}",
            field="data.label",
        )
    return features


def _read_captured(
    plan: Plan,
    features: Sequence[Feature],
    champion: Champion | None,
    baseline: LabelledRows | None,
    scratch: Path,
    retry_seconds: float,
) -> CapturedRows | None:
    if not plan.captured:
        return None
    classes = None
    if plan.search.task == "Classification":
        labels = champion.model.labels if champion else None
        classes = known_classes(labels, baseline.labels if baseline else None)
    return capture.read(plan, features, classes, baseline, scratch, retry_seconds)


def _check_classes(rows: LabelledRows, purpose: str) -> None:
    classes = np.unique(as_text(rows.labels))
    if len(classes) < 2:
        raise StepError(
            TrainingFailure.ONE_CLASS,
            f"expected rows of two labels or more {purpose}, got {len(rows)} rows that are all "
            f"{classes[0] if len(classes) else 'missing'}",
        )


def _write(datasets: Datasets, plan: Plan, settings: StepSettings) -> None:
    label = plan.data.label
    tables.write(datasets.train.table(label), settings.input / TRAIN_FILE)
    tables.write(datasets.recent.table(label), settings.holdout / RECENT_FILE)
    if datasets.reference is not None:
        tables.write(datasets.reference.table(label), settings.holdout / REFERENCE_FILE)
    summary = datasets.summary.model_dump_json(exclude_none=True)
    for folder in (settings.input, settings.holdout):
        (folder / SUMMARY_FILE).write_text(summary)
    (settings.input / PLAN_FILE).write_text(plan.model_dump_json(exclude_none=True, indent=1))
    log(summary)
