"""The step ``train``: a search for a model. A custom trainer can replace it."""

from pathlib import Path

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

from .. import progress_server
from ..data import tables
from ..data.features import clean, infer
from ..data.labels import clean_truth
from ..errors import StepError
from ..log import log
from ..selection import boosted_trees, warm_start
from ..selection.search import SearchResult, search
from ..selection.trials import SearchProblem
from ..selection.warm_start import NoWarmStartError, WarmStart
from ..settings import StepSettings
from ..threads import allowed_threads


def run(plan: Plan, settings: StepSettings) -> None:
    """Search on the rows in INPUT; write the model and the trials into OUTPUT.

    Raises:
        StepError: OneClass, DataUnreadable, BadPlan, TrainingFailed or OverBudget.
    """
    problem = _read_problem(plan, settings.input / TRAIN_FILE)
    start = _read_warm_start(plan, problem, settings.input)
    with progress_server.serve() as progress:
        result = search(problem, warm_start=start, log=log, show=progress.show)
    _write(plan, settings.output, result)


def _read_problem(plan: Plan, path: Path) -> SearchProblem:
    table, label = tables.read(path), plan.data.label
    if label not in table.columns:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected a column {label} (data.label)",
            field=str(path),
        )
    features = infer(table, label)
    log(f"{path}: {len(table):,} rows, {len(features)} features")
    labels = clean_truth(table[label], label, str(path), plan.search.task)
    return SearchProblem.of(
        clean(table, features, str(path)),
        labels,
        features,
        plan.search,
        plan.data.positive,
        budget=plan.budget,
        threads=allowed_threads(),
    )


def _read_warm_start(plan: Plan, problem: SearchProblem, folder: Path) -> WarmStart | None:
    """Return the champion to begin with; if there is none, log the reason."""
    if not plan.search.warmStart:
        return None
    try:
        fresh = _read_fresh(folder / SUMMARY_FILE)
        start, problem_with_trees = warm_start.read(
            folder / CHAMPION_FOLDER, problem.features, problem.task, fresh
        )
    except NoWarmStartError as error:
        log(f"search.warmStart: {error}; the search starts from scratch")
        return None
    how = (
        f"with its settings only: {problem_with_trees}"
        if problem_with_trees
        else "and continues from its trees"
    )
    log(f"search.warmStart: the search begins with {start.kind}, {how}")
    return start


def _read_fresh(path: Path) -> int | None:
    """Return the number of training rows that are new to the champion, if known."""
    try:
        return DataSummary.model_validate_json(path.read_bytes()).fresh
    except (OSError, ValidationError):
        return None


def _write(plan: Plan, output: Path, result: SearchResult) -> None:
    output.mkdir(parents=True, exist_ok=True)
    skops.io.dump(result.pipeline, output / MODEL_SKOPS)
    (output / SEARCH_FILE).write_text(result.report.model_dump_json(indent=1) + "\n")
    if plan.search.warmStart:
        for name, data in boosted_trees.files(result.pipeline, result.candidate).items():
            (output / EXTRA_FOLDER).mkdir(exist_ok=True)
            (output / EXTRA_FOLDER / name).write_bytes(data)
