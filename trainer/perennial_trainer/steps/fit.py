"""A first model from a table, on a person's machine: the same search, checks and bundle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from sklearn.pipeline import Pipeline

from perennial_contracts.api.search import Budget, Search
from perennial_contracts.wire.run_plan import CANDIDATE, SETTINGS, TrainingFailure

from ..bundle import manifest, profile
from ..conversion.sklearn_to_onnx import make_onnx
from ..data.features import as_text, clean, clean_truth, digest_rows, infer
from ..errors import StepError
from ..evaluation.scores import values
from ..selection import search as finding
from ..selection.folds import hold_out

HELD_OUT_SHARE = 0.2
LEAST_ROWS = 20


@dataclass(frozen=True)
class MadeBundle:
    """A bundle in memory, and what it was made from."""

    files: dict[str, bytes]
    """Contents by path: bundle.json, model.onnx, profile.json."""
    digest: str
    """Of bundle.json."""
    candidate: str
    """The kind of model that won the search."""
    metrics: dict[str, float]
    """Scores of the ONNX model on the held-out rows, by scikit-learn's names."""
    pipeline: Pipeline
    """The scikit-learn model."""
    held_out: pd.DataFrame
    """The rows that it was judged on, as they were given."""
    search: finding.SearchReport
    """What was tried."""


def make_bundle(
    rows: pd.DataFrame,
    *,
    label: str,
    positive: str | None,
    search: Search,
    lineage: Mapping[str, str],
    budget: Budget | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> MadeBundle:
    """Trains on the earlier rows, judges on the last fifth, and packs the model.

    Rows are shuffled only where ``search.order`` says so: what comes together is alike, and to know
    some of it helps with the rest in a way that no model can be helped with tomorrow.

    Args:
        rows: a table, in the order of time unless ``search.order`` says that it is not: a column
            per feature, numbers or texts, and the label.
        label: the column with the truth.
        positive: of two labels the one that scores are about, as text; the last one where None.
        search: what is tried.
        lineage: where the rows come from; free keys, kept in the bundle.
        budget: how quick and how small the model must be.
        tell: takes a line for people after each step.

    Raises:
        StepError: DataUnreadable, TooFewRows, OneClass, BadPlan, TrainingFailed, OverBudget,
            ConversionFailed or ParityFailed.
    """
    if label not in rows.columns:
        have = ", ".join(map(str, rows.columns[:20]))
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"label: expected a column {label}, got {have}"
        )
    if len(rows) < LEAST_ROWS:
        raise StepError(
            TrainingFailure.TOO_FEW_ROWS, f"expected at least {LEAST_ROWS} rows, got {len(rows)}"
        )
    features = infer(rows, label)
    frame = clean(rows, features, "the table")
    labels = clean_truth(rows[label], label, "the table", search.task)
    task = finding.check_task(labels, positive, search.metric)
    learnt, judged = hold_out(labels, HELD_OUT_SHARE, search.seed, search.order, search.task)
    found = finding.search(
        frame.iloc[learnt].reset_index(drop=True),
        labels[learnt],
        features,
        search,
        task.positive,
        budget=budget,
        tell=tell,
    )
    held_out = frame.iloc[judged].reset_index(drop=True)
    truth = as_text(labels[judged]) if task.classes else labels[judged]
    model, _ = make_onnx(found.pipeline, features, held_out)
    answers = model.answer(held_out, task.classes)
    scores = values(task, truth, answers)
    files = manifest.pack(
        model,
        profile.fit(held_out, features, truth, answers, task, search.seed),
        task,
        scores,
        {
            **lineage,
            "data": digest_rows([frame.assign(**{label: labels})]),
            CANDIDATE: found.candidate,
            SETTINGS: found.report.settings(),
            "seed": str(search.seed),
        },
    )
    return MadeBundle(
        files=files,
        digest=manifest.digest(files),
        candidate=found.candidate,
        metrics=scores,
        pipeline=found.pipeline,
        held_out=rows.iloc[judged],
        search=found.report,
    )
