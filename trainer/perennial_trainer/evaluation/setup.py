"""The set-up of an evaluation: the two models and the rows to compare them on."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.modelcard import CompressionTrial
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import (
    RECENT_FILE,
    REFERENCE_FILE,
    SUMMARY_FILE,
    TRAIN_FILE,
    Plan,
    TrainingFailure,
)

from ..compression.challenger import compress_model, not_compressed
from ..conversion import trained
from ..data import tables
from ..data.features import Feature, clean, infer
from ..data.labels import as_text, clean_truth, sort_labels
from ..errors import StepError
from ..model.onnx_model import OnnxModel, SignatureError
from ..selection.report import SearchReport
from ..settings import StepSettings
from .held_out import HeldOutRows, find_task, read_rows, read_summary, set_aside
from .task import RowPredictions, Task


@dataclass(frozen=True)
class EvaluationSetup:
    """Champion, challenger, and the rows that neither has learned from."""

    plan: Plan
    task: Task
    features: list[Feature]
    recent: HeldOutRows
    aside: HeldOutRows | None
    """Earlier rows of the same kind, which only a compression was chosen by; None without one."""
    reference: HeldOutRows | None
    """The baseline's rows; None without a baseline."""
    learnt: np.ndarray
    """Truth of the challenger's training rows: texts, or float64."""
    classes: list[str]
    """The labels in ``learnt``; none for a regression."""
    summary: DataSummary
    champion: OnnxModel | None
    challenger: OnnxModel
    """The challenger as it would be served."""
    candidate: str
    """Kind of the challenger; empty if a custom trainer does not report it."""
    search: SearchReport | None
    compression: list[CompressionTrial] = field(default_factory=list)

    @property
    def held_out(self) -> list[HeldOutRows]:
        return [rows for rows in (self.aside, self.recent, self.reference) if rows is not None]

    def predict_champion(self, rows: HeldOutRows) -> RowPredictions:
        """Return the champion's predictions.

        Raises:
            StepError: UnsupportedModel if it rejects the rows.
        """
        assert self.champion is not None
        return self._predict(self.champion, rows, LoadFailure.UNSUPPORTED_MODEL, "the champion")

    def predict_challenger(self, rows: HeldOutRows) -> RowPredictions:
        """Return the challenger's predictions.

        Raises:
            StepError: WrongSignature if it rejects the rows.
        """
        reason = TrainingFailure.WRONG_SIGNATURE
        return self._predict(self.challenger, rows, reason, "the challenger")

    def _predict(
        self, model: OnnxModel, rows: HeldOutRows, reason: TrainingFailure | LoadFailure, name: str
    ) -> RowPredictions:
        try:
            return model.predict(rows.frame, self.classes)
        except SignatureError as error:
            raise StepError(reason, str(error), field=name) from error


def set_up(plan: Plan, settings: StepSettings, champion: OnnxModel | None) -> EvaluationSetup:
    """Read rows and challenger, and compress it if the plan has methods.

    Raises:
        StepError: NoModel, WrongSignature, ConversionFailed, ParityFailed, BadPlan, DataUnreadable.
    """
    folder, label, kind = settings.holdout, plan.data.label, plan.search.task
    table = tables.read(folder / RECENT_FILE)
    features = champion.features if champion else infer(table, label)
    recent = read_rows("Recent", table, features, label, kind)
    reference = None
    if (path := folder / REFERENCE_FILE).is_file():
        reference = read_rows("Reference", tables.read(path), features, label, kind)
    summary = read_summary(folder / SUMMARY_FILE)
    training = _read_training_rows(plan, settings)
    left = trained.load(settings.output, features, training.classes, recent.frame)
    _check_task(plan, champion, left.model)
    labels = [
        *training.classes,
        *(left.model.labels or ()),
        *((champion and champion.labels) or ()),
    ]
    task = find_task(plan, [recent, *([reference] if reference else [])], labels)
    challenger, aside, trials = left.model, None, list[CompressionTrial]()
    if plan.compression is not None and (parts := set_aside(recent)):
        aside, recent = parts
        learn = clean(training.table, features, TRAIN_FILE)
        challenger, trials = compress_model(
            challenger, plan.compression, task, learn, training.labels, aside, plan.search.seed
        )
    elif plan.compression is not None:
        trials = not_compressed(plan.compression, recent)
    return EvaluationSetup(
        plan=plan,
        task=task,
        features=features,
        recent=recent,
        aside=aside,
        reference=reference,
        learnt=training.labels,
        classes=training.classes,
        summary=summary,
        champion=champion,
        challenger=challenger,
        candidate=left.candidate,
        search=left.search,
        compression=trials,
    )


@dataclass(frozen=True)
class _TrainingRows:
    """The rows that the challenger learned from."""

    table: pd.DataFrame
    labels: np.ndarray
    """Shape (rows,): texts, or float64 for a regression."""

    @cached_property
    def classes(self) -> list[str]:
        return [] if self.labels.dtype.kind == "f" else sort_labels(self.labels)


def _read_training_rows(plan: Plan, settings: StepSettings) -> _TrainingRows:
    """Read the labels, and all columns if a compression can train a student on them."""
    label, kind = plan.data.label, plan.search.task
    columns = None if plan.compression else [label]
    table = tables.read(settings.input / TRAIN_FILE, columns=columns)
    truth = clean_truth(table[label], label, TRAIN_FILE, kind)
    return _TrainingRows(table, truth if kind == "Regression" else as_text(truth))


def _check_task(plan: Plan, champion: OnnxModel | None, challenger: OnnxModel) -> None:
    if champion is not None and champion.kind != challenger.kind:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"expected {champion.kind}, the task of the served model, got {plan.search.task}",
            field="search.task",
        )
