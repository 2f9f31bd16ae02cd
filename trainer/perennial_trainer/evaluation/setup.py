"""Who stands against whom, on which rows."""

from dataclasses import dataclass, field

import numpy as np

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
from ..data.features import Feature, as_text, clean, clean_truth, infer, sort_labels
from ..errors import StepError
from ..model.onnx_model import OnnxModel, SignatureError
from ..selection.search import SearchReport
from ..settings import StepSettings
from .held_out import Rows, find_task, read_rows, read_summary, set_aside
from .task import Answers, Task


@dataclass(frozen=True)
class Contest:
    """The two models, and the rows that neither has learnt from."""

    plan: Plan
    task: Task
    features: list[Feature]
    recent: Rows
    aside: Rows | None
    """Earlier rows of the same kind, by which a compression was chosen; nothing is judged on them.
    None without one."""
    reference: Rows | None
    """The baseline's; None where there is none."""
    learnt: np.ndarray
    """The truth of the rows that the challenger has learnt from: texts, or float64."""
    classes: list[str]
    """The labels among them; none where numbers are told."""
    summary: DataSummary
    champion: OnnxModel | None
    challenger: OnnxModel
    """As it would be served."""
    candidate: str
    """Which kind won the search; empty where a trainer of one's own says nothing of it."""
    search: SearchReport | None
    compression: list[CompressionTrial] = field(default_factory=list)

    @property
    def held_out(self) -> list[Rows]:
        return [rows for rows in (self.aside, self.recent, self.reference) if rows is not None]

    def champion_says(self, rows: Rows) -> Answers:
        """The champion's answers.

        Raises:
            StepError: UnsupportedModel, where it refuses the rows.
        """
        assert self.champion is not None
        return self._ask(self.champion, rows, LoadFailure.UNSUPPORTED_MODEL, "the champion")

    def challenger_says(self, rows: Rows) -> Answers:
        """The challenger's answers.

        Raises:
            StepError: WrongSignature, where it refuses the rows.
        """
        reason = TrainingFailure.WRONG_SIGNATURE
        return self._ask(self.challenger, rows, reason, "the challenger")

    def _ask(
        self, model: OnnxModel, rows: Rows, reason: TrainingFailure | LoadFailure, who: str
    ) -> Answers:
        try:
            return model.answer(rows.frame, self.classes)
        except SignatureError as error:
            raise StepError(reason, f"{who}: {error}") from error


def enter(plan: Plan, settings: StepSettings, champion: OnnxModel | None) -> Contest:
    """Reads the rows and the challenger, compressed where the run asks for it.

    Raises:
        StepError: NoModel, WrongSignature, ConversionFailed, ParityFailed, BadPlan, DataUnreadable.
    """
    kind, label = plan.search.task, plan.data.label
    recent_table = tables.read(settings.holdout / RECENT_FILE)
    features = champion.features if champion else infer(recent_table, label)
    recent = read_rows("Recent", recent_table, features, label, kind)
    reference = None
    if (path := settings.holdout / REFERENCE_FILE).is_file():
        reference = read_rows("Reference", tables.read(path), features, label, kind)
    summary = read_summary(settings.holdout / SUMMARY_FILE)
    # Nothing but labels is needed of what was learnt from, unless a student learns it again.
    table = tables.read(settings.input / TRAIN_FILE, columns=None if plan.compression else [label])
    learnt = clean_truth(table[label], label, TRAIN_FILE, kind)
    learnt = learnt if kind == "Regression" else as_text(learnt)
    classes = [] if kind == "Regression" else sort_labels(learnt)
    left = trained.load(settings.output, features, classes, recent.frame)
    challenger = left.model
    if champion is not None and champion.kind != challenger.kind:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"search.task: expected {champion.kind}, as the model that serves does, got {kind}",
        )
    known = [*classes, *(challenger.labels or ()), *((champion and champion.labels) or ())]
    task = find_task(plan, [recent, *([reference] if reference else [])], known)
    trials: list[CompressionTrial] = []
    aside = None
    if plan.compression is not None and (parts := set_aside(recent)):
        aside, recent = parts
        learn = clean(table, features, TRAIN_FILE)
        challenger, trials = compress_model(
            challenger, plan.compression, task, learn, learnt, aside, plan.search.seed
        )
    elif plan.compression is not None:
        trials = not_compressed(plan.compression, recent)
    return Contest(
        plan=plan,
        task=task,
        features=features,
        recent=recent,
        aside=aside,
        reference=reference,
        learnt=learnt,
        classes=classes,
        summary=summary,
        champion=champion,
        challenger=challenger,
        candidate=left.candidate,
        search=left.search,
        compression=trials,
    )
