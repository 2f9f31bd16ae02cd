"""The step: from what the training left to a decision."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from perennial_contracts.api.retrainjob_status import Metric
from perennial_contracts.wire.modelcard import MODEL_CARD_NAME, REPORT_NAME
from perennial_contracts.wire.run_plan import (
    CANDIDATE,
    LEARNT_UNTIL,
    SETTINGS,
    Model,
    Plan,
    TrainingResult,
)

from ..bundle import champion, extra, manifest, profile
from ..bundle.model_card import make_card
from ..bundle.publish import publish_bundle, publish_report
from ..evaluation.setup import Contest, enter
from ..evaluation.verdict import decide
from ..log import log
from ..model.onnx_model import OnnxModel
from ..report.page import render
from ..settings import StepSettings
from .result import fit_message


def run(plan: Plan, settings: StepSettings) -> TrainingResult:
    """Judges, and publishes what passes the gate.

    Raises:
        StepError: NoModel, WrongSignature, ConversionFailed, ParityFailed, BadPlan, DataUnreadable,
            OneClass, PublishFailed, or that the champion cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="perennial-") as scratch:
        old = None
        if plan.champion is not None:
            old = champion.fetch(plan.champion, Path(scratch), settings.retry_seconds)
        return _judge(plan, settings, old)


def _judge(plan: Plan, settings: StepSettings, old: OnnxModel | None) -> TrainingResult:
    contest = enter(plan, settings, old)
    judged = decide(contest)
    log(judged.verdict.message)

    recent, task, scores = contest.recent, contest.task, judged.scores
    fitted = profile.fit(
        recent.frame, contest.features, recent.truth, judged.answers, task, plan.search.seed
    )
    lineage = _lineage(contest)
    files = manifest.pack(
        contest.challenger, fitted, task, scores, lineage, extra.read(settings.output)
    )
    digest = manifest.digest(files)
    card = make_card(contest, judged, {**lineage, "bundle": digest})
    beside = {
        REPORT_NAME: render(card, fitted).encode(),
        MODEL_CARD_NAME: card.model_dump_json(indent=1, exclude_none=True).encode() + b"\n",
    }
    if judged.verdict.decision == "Accepted":
        uri = publish_bundle(plan.output, files, beside, settings.retry_seconds)
        report = f"{uri}{REPORT_NAME}"
    else:
        uri = ""
        report = publish_report(plan.output, plan.job, beside, settings.retry_seconds)
    log(report)
    return fit_message(
        TrainingResult(
            decision=judged.verdict.decision,
            message=judged.verdict.message,
            challenger=Model(uri=uri, digest=digest),
            candidate=contest.candidate,
            data=contest.summary,
            metrics=[
                Metric(name=name, value=f"{scores[name]:.6g}")
                for name in task.metrics
                if name in scores
            ],
            sizeBytes=card.size_bytes,
            p95Microseconds=None if card.p95_microseconds is None else round(card.p95_microseconds),
            comparisons=[gain.to_contract() for gain in judged.gains],
            report=report,
        )
    )


def _lineage(contest: Contest) -> Mapping[str, str]:
    """Where the model comes from; no time of day, so that a second attempt makes the same bytes."""
    plan, summary, search = contest.plan, contest.summary, contest.search
    facts = {
        "model": f"{plan.namespace}/{plan.model}",
        "retrainJob": plan.job,
        "trigger": plan.trigger.type,
        "fingerprint": plan.trigger.fingerprint,
        "data": summary.digest,
        "champion": plan.champion.digest if plan.champion else "",
        CANDIDATE: contest.candidate,
        SETTINGS: search.settings() if search else "",
        LEARNT_UNTIL: summary.learntUntil or "",
        "seed": str(plan.search.seed),
    }
    return {key: value for key, value in facts.items() if value}
