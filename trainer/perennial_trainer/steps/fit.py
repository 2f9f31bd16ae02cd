"""Command ``fit``: a first model from a table, with the stages of a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.pipeline import Pipeline

from perennial_contracts.api.search import Budget, Search
from perennial_contracts.wire.bundle import MANIFEST_NAME
from perennial_contracts.wire.run_plan import CANDIDATE, SETTINGS, TrainingFailure

from ..bundle import manifest, profile
from ..conversion.sklearn_to_onnx import make_onnx
from ..data import tables
from ..data.features import clean, infer, list_columns
from ..data.labels import as_text, clean_truth
from ..data.rows import LabelledRows, digest_rows
from ..errors import StepError
from ..evaluation.held_out import PredictedRows
from ..evaluation.scores import values
from ..log import log
from ..selection.folds import hold_out
from ..selection.report import SearchReport
from ..selection.scoring import check_task
from ..selection.search import search as run_search
from ..selection.trials import SearchProblem
from ..settings import FitSettings

HELD_OUT_SHARE = 0.2
LEAST_ROWS = 20
SOURCE = "the table"


@dataclass(frozen=True)
class MadeBundle:
    """A bundle in memory, with the data that it was made from."""

    files: dict[str, bytes]
    """Contents by path: bundle.json, model.onnx, profile.json."""
    digest: str
    """Digest of bundle.json."""
    candidate: str
    """Kind of the model that won the search."""
    metrics: dict[str, float]
    """Scores of the ONNX model on the held-out rows, by the names of scikit-learn."""
    pipeline: Pipeline
    """The scikit-learn model."""
    held_out: pd.DataFrame
    """The held-out rows, as they were given."""
    search: SearchReport
    """The trials."""


def run(settings: FitSettings) -> None:
    """Train on a file, and write the bundle into a folder.

    Raises:
        StepError: as :func:`make_bundle`; DataUnreadable or PublishFailed for the files.
    """
    if not settings.data.is_file():
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"there is no file {settings.data}", field="--data"
        )
    _check_empty(settings.out)
    rows = tables.read(settings.data)
    log(f"{settings.data}: {len(rows)} rows, {len(rows.columns)} columns")
    made = make_bundle(
        rows,
        label=settings.label,
        positive=settings.positive,
        search=settings.search,
        lineage={"source": settings.data.name},
        budget=settings.budget,
        log=log,
    )
    _write(made, settings.out)
    scores = ", ".join(f"{name} {value:.4f}" for name, value in made.metrics.items())
    which = "last" if settings.search.order == "TimeOrdered" else "held-out"
    log(f"scores on the {which} {len(made.held_out)} rows: {scores}")
    log(f"{settings.out}: {made.candidate}, {made.digest}")
    log(f"to serve it: perennial-runtime serve {settings.out}")


def make_bundle(
    rows: pd.DataFrame,
    *,
    label: str,
    positive: str | None,
    search: Search,
    lineage: Mapping[str, str],
    budget: Budget | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> MadeBundle:
    """Train on the earlier rows, judge on the last fifth, and pack the model.

    Rows are shuffled only if ``search.order`` is Shuffled: rows that are close in time are alike,
    so a model that has seen some of them predicts the others better than it predicts new ones.

    Args:
        rows: a table with a column for each feature, numbers or texts, and the label.
        label: name of the column with the truth.
        positive: the one of two labels that scores are about, as text; None for the last.
        search: kinds, metric and limits of the search.
        lineage: the origin of the rows; free keys, stored in the bundle.
        budget: limits of the model.
        log: receives a line after each step.

    Raises:
        StepError: DataUnreadable, TooFewRows, OneClass, BadPlan, TrainingFailed, OverBudget,
            ConversionFailed or ParityFailed.
    """
    _check_table(rows, label)
    features = infer(rows, label)
    clean_rows = LabelledRows(
        clean(rows, features, SOURCE), clean_truth(rows[label], label, SOURCE, search.task)
    )
    # The labels of all rows make the task, so that a class of the held-out rows belongs to it.
    task = check_task(clean_rows.labels, positive, search.metric)
    learnt, judged = hold_out(
        clean_rows.labels, HELD_OUT_SHARE, search.seed, search.order, search.task
    )
    train, held_out = clean_rows[learnt], clean_rows[judged]
    problem = SearchProblem.of(
        train.frame, train.labels, features, search, task.positive, budget=budget
    )
    result = run_search(problem, log=log)
    model, _ = make_onnx(result.pipeline, features, held_out.frame)
    truth = as_text(held_out.labels) if task.classes else held_out.labels
    predictions = model.predict(held_out.frame, task.classes)
    scores = values(task, truth, predictions)
    files = manifest.pack(
        model,
        profile.fit(PredictedRows(task, features, held_out.frame, truth, predictions), search.seed),
        task,
        scores,
        {
            **lineage,
            "data": digest_rows([clean_rows.table(label)]),
            CANDIDATE: result.candidate,
            SETTINGS: result.report.settings(),
            "seed": str(search.seed),
        },
    )
    return MadeBundle(
        files=files,
        digest=manifest.digest(files),
        candidate=result.candidate,
        metrics=scores,
        pipeline=result.pipeline,
        held_out=rows.iloc[judged],
        search=result.report,
    )


def _check_table(rows: pd.DataFrame, label: str) -> None:
    if label not in rows.columns:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected a column {label}, got {list_columns(rows)}",
            field="label",
        )
    if len(rows) < LEAST_ROWS:
        raise StepError(
            TrainingFailure.TOO_FEW_ROWS, f"expected at least {LEAST_ROWS} rows, got {len(rows)}"
        )


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StepError(
            TrainingFailure.PUBLISH_FAILED,
            f"expected a folder that is empty or does not exist, got {folder}",
            field="--out",
        )


def _write(made: MadeBundle, folder: Path) -> None:
    """Write the bundle's files, bundle.json last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(made.files, key=lambda name: name == MANIFEST_NAME):
        (folder / name).write_bytes(made.files[name])
