"""The step: from what the training left to a decision."""

import tempfile
from collections.abc import Container, Mapping
from pathlib import Path

from perennial_contracts.modelcard import MODEL_CARD_NAME, REPORT_NAME, CompressionTrial
from perennial_contracts.outcome import LoadFailure
from perennial_contracts.quality import MetricName
from perennial_contracts.retrainjob import DataSummary, Metric
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

from .. import bundle, champion, extra, gate, profile, tables, trained
from ..compare import Gain, compare
from ..cost import measure
from ..errors import StepError
from ..evaluate.counts import Counts
from ..evaluate.evaluation import evaluate
from ..evaluate.scores import values
from ..evaluate.task import Answers
from ..features import as_text, clean, clean_truth, infer, sort_labels
from ..onnx_model import OnnxModel, SignatureError
from ..progress import tell
from ..publish import publish_bundle, publish_report
from ..report.page import render
from ..result import fit_message
from ..settings import StepSettings
from .card import describe_data, make_card
from .compressing import compress_model
from .held_out import Rows, find_task, read_rows, read_summary


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
    kind, label = plan.search.task, plan.data.label
    recent = read_rows("Recent", recent_table, features, label, kind)
    held_out = [recent]
    if (path := settings.holdout / REFERENCE_FILE).is_file():
        held_out.append(read_rows("Reference", tables.read(path), features, label, kind))
    summary = read_summary(settings.holdout / SUMMARY_FILE)
    # Nothing but labels is needed of what was learnt from, unless a student learns it again.
    table = tables.read(settings.input / TRAIN_FILE, columns=None if plan.compression else [label])
    learnt = clean_truth(table[label], label, TRAIN_FILE, kind)
    learnt = learnt if kind == "Regression" else as_text(learnt)
    classes = [] if kind == "Regression" else sort_labels(learnt)
    challenger = trained.load(settings.output, features, classes, recent.frame)
    new = challenger.model
    if old is not None and old.kind != new.kind:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"search.task: expected {old.kind}, as the model that serves does, got {kind}",
        )
    task = find_task(plan, held_out, [*classes, *(new.labels or ()), *((old and old.labels) or ())])
    trials: list[CompressionTrial] = []
    if plan.compression is not None:
        learn = clean(table, features, TRAIN_FILE)
        new, trials = compress_model(
            new, plan.compression, task, learn, learnt, recent, plan.search.seed
        )

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
        for rows in held_out:
            defined = {gain.metric for gain in gains if gain.on == rows.on}
            _check_gate(plan.gate.metric, defined, rows)
    said = _answer(new, recent, classes, "the challenger")
    scores = values(task, recent.truth, said)
    _check_gate(plan.gate.metric, scores, recent)
    verdict = (
        gate.judge(plan.gate, gains, captured=summary.captured > 0)
        if old is not None
        else gate.judge_first(
            plan.gate, plan.gate.metric, scores[plan.gate.metric], len(recent.truth)
        )
    )
    tell(verdict.message)

    fitted = profile.fit(recent.frame, features, recent.truth, said, task, plan.search.seed)
    lineage = _lineage(plan, summary, challenger.candidate)
    files = bundle.pack(new, fitted, task, scores, lineage, extra.read(settings.output))
    digest = bundle.digest(files)
    before = None
    if old is not None and task.classes:
        answers = _answer(old, recent, classes, "the champion")
        before = Counts(task, recent.truth, answers).matrix
    card = make_card(
        plan,
        verdict,
        candidate=challenger.candidate,
        evaluation=evaluate(
            task,
            recent.frame,
            features,
            learnt,
            recent.truth,
            said,
            plan.gate.metric,
            plan.search.seed,
        ),
        champion_matrix=before,
        gains=gains,
        search=challenger.search,
        data=describe_data(
            summary, label, recent.frame, features, learnt, sum(len(r.frame) for r in held_out)
        ),
        lineage={**lineage, "bundle": digest},
        compression=trials,
        size=len(new.data),
        p95_microseconds=measure(new.data, recent.frame, new.features).p95_microseconds,
    )
    beside = {
        REPORT_NAME: render(card, fitted).encode(),
        MODEL_CARD_NAME: card.model_dump_json(indent=1, exclude_none=True).encode() + b"\n",
    }
    if verdict.decision == "Accepted":
        uri = publish_bundle(plan.output, files, beside, settings.retry_seconds)
        report = f"{uri}{REPORT_NAME}"
    else:
        uri = ""
        report = publish_report(plan.output, plan.job, beside, settings.retry_seconds)
    tell(report)
    return fit_message(
        TrainingResult(
            decision=verdict.decision,
            message=verdict.message,
            challenger=Model(uri=uri, digest=digest),
            candidate=challenger.candidate,
            data=summary,
            metrics=[
                Metric(name=name, value=f"{scores[name]:.6g}")
                for name in task.metrics
                if name in scores
            ],
            sizeBytes=card.size_bytes,
            p95Microseconds=None if card.p95_microseconds is None else round(card.p95_microseconds),
            comparisons=[gain.to_contract() for gain in gains],
            report=report,
        )
    )


def _answer(model: OnnxModel, rows: Rows, classes: list[str], who: str) -> Answers:
    try:
        return model.answer(rows.frame, classes)
    except SignatureError as error:
        reason: TrainingFailure | LoadFailure = TrainingFailure.WRONG_SIGNATURE
        if who == "the champion":
            reason = LoadFailure.UNSUPPORTED_MODEL
        raise StepError(reason, f"{who}: {error}") from error


def _check_gate(metric: MetricName, defined: Container[str], rows: Rows) -> None:
    """A metric that held-out rows do not define decides nothing."""
    if metric in defined:
        return
    why = f"whose labels are all {rows.truth[0]}"
    if rows.truth.dtype.kind == "f":
        why = "which have one and the same number, or on which the champion never errs"
    raise StepError(
        TrainingFailure.ONE_CLASS,
        f"gate.metric: {metric} is not defined on the {len(rows.truth):,} rows of {rows.on}, {why}",
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
