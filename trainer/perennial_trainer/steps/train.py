"""The step that searches for a model; a trainer of one's own takes its place."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skops.io
from pydantic import ValidationError

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.run_plan import (
    CHAMPION_FOLDER,
    EXTRA_FOLDER,
    MODEL_SKOPS,
    SEARCH_FILE,
    SUMMARY_FILE,
    TRAIN_FILE,
    Plan,
    TrainingFailure,
)

from .. import progress_server as board
from ..data import tables
from ..data.features import Feature, clean, clean_truth, infer
from ..errors import StepError
from ..log import log
from ..selection import warm_start as going_on
from ..selection.champion import Champion, NotFittingError, read
from ..selection.search import Found, check_task, search
from ..settings import StepSettings
from ..threads import allowed


def run(plan: Plan, settings: StepSettings) -> None:
    """Learns from INPUT and leaves the model, and what was tried, in OUTPUT.

    Raises:
        StepError: OneClass, DataUnreadable, BadPlan, TrainingFailed or OverBudget.
    """
    path, label = settings.input / TRAIN_FILE, plan.data.label
    table = tables.read(path)
    if label not in table.columns:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"{path}: expected a column {label} (data.label)"
        )
    features = infer(table, label)
    log(f"{path}: {len(table):,} rows, {len(features)} features")
    labels = clean_truth(table[label], label, str(path), plan.search.task)
    champion = _champion(plan, settings, features, labels)
    with board.serve() as shown:
        found = search(
            clean(table, features, str(path)),
            labels,
            features,
            plan.search,
            plan.data.positive,
            budget=plan.budget,
            champion=champion,
            threads=allowed(),
            tell=log,
            show=shown.show,
        )
    _leave(plan, settings.output, found)


def _champion(
    plan: Plan, settings: StepSettings, features: Sequence[Feature], labels: np.ndarray
) -> Champion | None:
    """Where the search begins; None where it begins anew, and the log says why."""
    if not plan.search.warmStart:
        return None
    task = check_task(labels, plan.data.positive, plan.search.metric)
    try:
        folder = settings.input / CHAMPION_FOLDER
        champion, why = read(folder, features, task, _fresh(settings.input / SUMMARY_FILE))
    except NotFittingError as error:
        log(f"search.warmStart: {error}; all is searched as usual")
        return None
    how = f"with its settings alone: {why}" if why else "and goes on from its trees"
    log(f"search.warmStart: the search begins with {champion.kind}, {how}")
    return champion


def _fresh(path: Path) -> int | None:
    try:
        return DataSummary.model_validate_json(path.read_bytes()).fresh
    except (OSError, ValidationError):
        return None


def _leave(plan: Plan, output: Path, found: Found) -> None:
    output.mkdir(parents=True, exist_ok=True)
    skops.io.dump(found.pipeline, output / MODEL_SKOPS)
    (output / SEARCH_FILE).write_text(found.report.model_dump_json(indent=1) + "\n")
    if plan.search.warmStart:
        for name, data in going_on.files(found.pipeline, found.candidate).items():
            (output / EXTRA_FOLDER).mkdir(exist_ok=True)
            (output / EXTRA_FOLDER / name).write_bytes(data)
