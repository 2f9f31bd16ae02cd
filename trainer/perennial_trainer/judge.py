"""The last step: the challenger against the champion, and the bundle of the one that is better."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ValidationError

from perennial_contracts.modelcard import (
    CandidateTrial,
    DataFacts,
    Evaluation,
    ModelCard,
    Score,
    Side,
)
from perennial_contracts.outcome import LoadFailure
from perennial_contracts.quality import MetricName
from perennial_contracts.retrainjob import DataSummary
from perennial_contracts.training import (
    RECENT_FILE,
    REFERENCE_FILE,
    SUMMARY_FILE,
    TRAIN_FILE,
    Model,
    Plan,
    TrainingFailure,
    TrainingResult,
)

from . import bundle, champion, gate, profile, tables, trained
from .compare import Gain, Where, compare
from .errors import StepError
from .features import Feature, as_text, clean, clean_labels, infer, sort_labels
from .onnx_model import OnnxModel, SignatureError
from .progress import tell
from .publish import publish_bundle, publish_report
from .report.page import render
from .result import fit_message
from .scores import Answers, Counts, Task, make_task, values
from .search import SearchReport
from .settings import StepSettings


@dataclass(frozen=True)
class Rows:
    """Rows that neither model has learnt from."""

    on: Where
    frame: pd.DataFrame
    truth: np.ndarray
    """Shape (rows,), texts."""


def run(plan: Plan, settings: StepSettings) -> TrainingResult:
    """Judges, and publishes what passes the gate.

    Raises:
        StepError: NoModel, WrongSignature, ConversionFailed, ParityFailed, BadPlan, DataUnreadable,
            PublishFailed, or that the champion cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="perennial-") as scratch:
        old = None
        if plan.champion is not None:
            old = champion.fetch(plan.champion, Path(scratch), settings.retry_seconds)
        return _judge(plan, settings, old)


def _judge(plan: Plan, settings: StepSettings, old: OnnxModel | None) -> TrainingResult:
    recent_table = tables.read(settings.holdout / RECENT_FILE)
    features = old.features if old else infer(recent_table, plan.data.label)
    recent = _rows("Recent", recent_table, features, plan.data.label)
    held_out = [recent]
    if (path := settings.holdout / REFERENCE_FILE).is_file():
        held_out.append(_rows("Reference", tables.read(path), features, plan.data.label))
    summary = _summary(settings.holdout / SUMMARY_FILE)
    learnt = tables.read(settings.input / TRAIN_FILE, columns=[plan.data.label])[plan.data.label]
    classes = sort_labels(as_text(clean_labels(learnt, plan.data.label, TRAIN_FILE)))
    challenger = trained.load(settings.output, features, classes, recent.frame)
    new = challenger.model
    task = _task(plan, held_out, [*classes, *(new.labels or ()), *((old and old.labels) or ())])

    gains: list[Gain] = []
    if old is not None:
        for rows in held_out:
            gains += compare(
                task,
                rows.truth,
                _answer(old, rows, classes, "the champion"),
                _answer(new, rows, classes, "the challenger"),
                rows.on,
                plan.search.seed,
            )
        gains.sort(key=lambda gain: gain.metric != plan.gate.metric)
        _check_gate(gains, plan.gate.metric, held_out)
    said = _answer(new, recent, classes, "the challenger")
    scores = values(task, recent.truth, said)
    verdict = (
        gate.judge(plan.gate, gains, captured=summary.captured > 0)
        if old is not None
        else gate.judge_first(
            plan.gate, plan.gate.metric, scores[plan.gate.metric], len(recent.truth)
        )
    )
    tell(verdict.message)

    fitted = profile.fit(recent.frame, features, recent.truth, said, task, plan.search.seed)
    files = bundle.pack(new, fitted, task, scores, _lineage(plan, summary, challenger.candidate))
    digest = bundle.digest(files)
    matrices = [Counts(task, recent.truth, said).matrix]
    if old is not None:
        before = _answer(old, recent, classes, "the champion")
        matrices.append(Counts(task, recent.truth, before).matrix)
    lineage = {**_lineage(plan, summary, challenger.candidate), "challenger": digest}
    card = _card(
        plan, verdict, task, matrices, gains, scores, summary, challenger.search, lineage
    )  # fmt: skip
    page = render(card, fitted).encode()
    if verdict.decision == "Accepted":
        uri = publish_bundle(plan.output, files, page, settings.retry_seconds)
        report = f"{uri}report.html"
    else:
        uri = ""
        report = publish_report(plan.output, plan.job, page, settings.retry_seconds)
    tell(report)
    return fit_message(
        TrainingResult(
            decision=verdict.decision,
            message=verdict.message,
            challenger=Model(uri=uri, digest=digest),
            candidate=challenger.candidate,
            data=summary,
            comparisons=[gain.to_contract() for gain in gains],
            report=report,
        )
    )


def _card(
    plan: Plan,
    verdict: gate.Verdict,
    task: Task,
    matrices: list[np.ndarray],
    gains: list[Gain],
    scores: Mapping[str, float],
    summary: DataSummary,
    search: SearchReport | None,
    lineage: Mapping[str, str],
) -> ModelCard:
    """What the report tells; ``matrices`` are the challenger's and the champion's, if any."""
    trigger = f"{plan.trigger.type}: {plan.trigger.message}".removesuffix(": ")
    moments = [moment and str(moment) for moment in (summary.start, summary.end)]
    trials = search.trials if search else []
    return ModelCard(
        name=f"{plan.namespace}/{plan.model}",
        decision=verdict.decision,
        headline=verdict.message,
        kind=lineage.get("candidate", ""),
        evaluation=Evaluation(
            task="Classification",
            rows=int(matrices[0].sum()),
            classes=task.classes,
            positive=task.positive,
            scores=[Score(metric=name, value=value) for name, value in scores.items()],
            matrix=matrices[0].astype(int).tolist(),
        ),
        champion_matrix=matrices[1].astype(int).tolist() if len(matrices) > 1 else [],
        comparisons=[Side(**vars(gain)) for gain in gains],
        metric=plan.gate.metric,
        why=search.why if search else "",
        trials=[
            CandidateTrial(**trial.model_dump(), chosen=search is not None and i == search.chosen)
            for i, trial in enumerate(trials)
        ],
        data=DataFacts(
            digest=summary.digest,
            rows=summary.rows,
            captured=summary.captured,
            held_out=int(matrices[0].sum()),
            start=moments[0],
            end=moments[1],
            label=plan.data.label,
        ),
        lineage={**lineage, "trigger": trigger},
    )


def _rows(on: Where, table: pd.DataFrame, features: list[Feature], label: str) -> Rows:
    source = f"the rows of {on}"
    if label not in table.columns or not len(table):
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"{source}: expected rows with a column {label}"
        )
    labels = as_text(clean_labels(table[label], label, source))
    return Rows(on, clean(table, features, source), labels)


def _summary(path: Path) -> DataSummary:
    try:
        return DataSummary.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"{path}: expected what assemble wrote: {error}"
        ) from error


def _task(plan: Plan, held_out: list[Rows], labels: list[str]) -> Task:
    found = {*labels, *(label for rows in held_out for label in np.unique(rows.truth))}
    try:
        task = make_task(sorted(found), plan.data.positive)
    except ValueError as error:
        raise StepError(TrainingFailure.DATA_UNREADABLE, f"data.positive: {error}") from error
    if plan.gate.metric not in task.metrics:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"gate.metric: expected one of {', '.join(task.metrics)} for {len(task.classes)} "
            f"labels, got {plan.gate.metric}",
        )
    return task


def _answer(model: OnnxModel, rows: Rows, classes: list[str], who: str) -> Answers:
    try:
        return model.answer(rows.frame, classes)
    except SignatureError as error:
        reason: TrainingFailure | LoadFailure = TrainingFailure.WRONG_SIGNATURE
        if who == "the champion":
            reason = LoadFailure.UNSUPPORTED_MODEL
        raise StepError(reason, f"{who}: {error}") from error


def _check_gate(gains: list[Gain], metric: MetricName, held_out: list[Rows]) -> None:
    """A metric that held-out rows do not define decides nothing."""
    for rows in held_out:
        if not any(gain.metric == metric and gain.on == rows.on for gain in gains):
            raise StepError(
                TrainingFailure.ONE_CLASS,
                f"gate.metric: {metric} is not defined on the {len(rows.truth):,} rows of "
                f"{rows.on}, whose labels are all {rows.truth[0]}",
            )


def _lineage(plan: Plan, summary: DataSummary, candidate: str) -> Mapping[str, str]:
    """Where the model comes from; no time of day, so that a second attempt makes the same bytes."""
    facts = {
        "model": f"{plan.namespace}/{plan.model}",
        "retrainJob": plan.job,
        "trigger": plan.trigger.type,
        "fingerprint": plan.trigger.fingerprint,
        "data": summary.digest,
        "champion": plan.champion.digest if plan.champion else "",
        "candidate": candidate,
        "seed": str(plan.search.seed),
    }
    return {key: value for key, value in facts.items() if value}
