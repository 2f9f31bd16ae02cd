"""The step that searches for a model; a trainer of one's own takes its place."""

import skops.io

from perennial_contracts.training import (
    MODEL_SKOPS,
    SEARCH_FILE,
    TRAIN_FILE,
    Plan,
    TrainingFailure,
)

from .. import board, tables
from ..errors import StepError
from ..model.features import clean, clean_truth, infer
from ..progress import tell
from ..settings import StepSettings
from ..threads import allowed
from .search import search


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
    tell(f"{path}: {len(table):,} rows, {len(features)} features")
    with board.serve() as shown:
        found = search(
            clean(table, features, str(path)),
            clean_truth(table[label], label, str(path), plan.search.task),
            features,
            plan.search,
            plan.data.positive,
            budget=plan.budget,
            threads=allowed(),
            tell=tell,
            show=shown.show,
        )
    settings.output.mkdir(parents=True, exist_ok=True)
    skops.io.dump(found.pipeline, settings.output / MODEL_SKOPS)
    (settings.output / SEARCH_FILE).write_text(found.report.model_dump_json(indent=1) + "\n")
