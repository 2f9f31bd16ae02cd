"""The step ``judge``: from the trained model to a decision."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from perennial_contracts.api.retrainjob_status import Metric
from perennial_contracts.wire.modelcard import MODEL_CARD_NAME, REPORT_NAME, ModelCard
from perennial_contracts.wire.run_plan import (
    CANDIDATE,
    LEARNT_UNTIL,
    SETTINGS,
    Model,
    Plan,
    TrainingResult,
)

from ..bundle import champion as champions
from ..bundle import extra, manifest, profile
from ..bundle.model_card import make_card
from ..bundle.publish import publish_bundle, publish_report
from ..evaluation.judgement import Judgement, judge
from ..evaluation.setup import EvaluationSetup, set_up
from ..log import log
from ..model.onnx_model import OnnxModel
from ..report.page import render
from ..settings import StepSettings

MOST_BYTES = 4096
"""The kubelet truncates a longer termination message."""


def run(plan: Plan, settings: StepSettings) -> TrainingResult:
    """Judge the challenger, and publish it if the gate accepts it.

    Raises:
        StepError: NoModel, WrongSignature, ConversionFailed, ParityFailed, BadPlan, DataUnreadable,
            OneClass, PublishFailed.
        StorageError: if the champion cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="perennial-") as scratch:
        champion = _fetch_champion(plan, Path(scratch), settings.retry_seconds)
        setup = set_up(plan, settings, champion)
        judgement = judge(setup)
        log(judgement.verdict.message)
        package = _pack(setup, judgement, settings.output)
        uri, report = _publish(plan, package, settings.retry_seconds)
        log(report)
        return fit_message(_result(setup, judgement, package, uri, report))


def _fetch_champion(plan: Plan, scratch: Path, retry_seconds: float) -> OnnxModel | None:
    if plan.champion is None:
        return None
    return champions.fetch(plan.champion, scratch, retry_seconds).model


@dataclass(frozen=True)
class _Package:
    """The challenger's bundle, and the files beside it."""

    files: dict[str, bytes]
    digest: str
    card: ModelCard
    beside: dict[str, bytes]
    """Report and model card."""


def _pack(setup: EvaluationSetup, judgement: Judgement, output: Path) -> _Package:
    fitted = profile.fit(judgement.recent, setup.plan.search.seed)
    lineage = _lineage(setup)
    files = manifest.pack(
        setup.challenger, fitted, setup.task, judgement.scores, lineage, extra.read(output)
    )
    digest = manifest.digest(files)
    card = make_card(setup, judgement, {**lineage, "bundle": digest})
    beside = {
        REPORT_NAME: render(card, fitted).encode(),
        MODEL_CARD_NAME: card.model_dump_json(indent=1, exclude_none=True).encode() + b"\n",
    }
    return _Package(files, digest, card, beside)


def _publish(plan: Plan, package: _Package, retry_seconds: float) -> tuple[str, str]:
    """Publish an accepted bundle, or a rejected one's report; return the URIs of both."""
    if package.card.decision == "Accepted":
        uri = publish_bundle(plan.output, package.files, package.beside, retry_seconds)
        return uri, f"{uri}{REPORT_NAME}"
    return "", publish_report(plan.output, plan.job, package.beside, retry_seconds)


def _result(
    setup: EvaluationSetup, judgement: Judgement, package: _Package, uri: str, report: str
) -> TrainingResult:
    card, scores = package.card, judgement.scores
    return TrainingResult(
        decision=judgement.verdict.decision,
        message=judgement.verdict.message,
        challenger=Model(uri=uri, digest=package.digest),
        candidate=setup.candidate,
        data=setup.summary,
        metrics=[
            Metric(name=name, value=f"{scores[name]:.6g}")
            for name in setup.task.metrics
            if name in scores
        ],
        sizeBytes=card.size_bytes,
        p95Microseconds=None if card.p95_microseconds is None else round(card.p95_microseconds),
        comparisons=[gain.to_contract() for gain in judgement.gains],
        report=report,
    )


def fit_message(result: TrainingResult) -> TrainingResult:
    """Return the result with as many comparisons as a termination message can hold.

    The text of the result first shortens its message. The gate's metric comes first among the
    comparisons, so it is never dropped.
    """
    while len(result.to_text().encode()) > MOST_BYTES and len(result.comparisons) > 2:
        result = result.model_copy(update={"comparisons": result.comparisons[:-1]})
    return result


def _lineage(setup: EvaluationSetup) -> Mapping[str, str]:
    """Return the origin of the model without times, for reproducible bytes."""
    plan, summary, search = setup.plan, setup.summary, setup.search
    facts = {
        "model": f"{plan.namespace}/{plan.model}",
        "retrainJob": plan.job,
        "trigger": plan.trigger.type,
        "fingerprint": plan.trigger.fingerprint,
        "data": summary.digest,
        "champion": plan.champion.digest if plan.champion else "",
        CANDIDATE: setup.candidate,
        SETTINGS: search.settings() if search else "",
        LEARNT_UNTIL: summary.learntUntil or "",
        "seed": str(plan.search.seed),
    }
    return {key: value for key, value in facts.items() if value}
