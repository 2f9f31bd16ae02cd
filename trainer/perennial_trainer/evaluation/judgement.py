"""Judgement: scores of both models on held-out rows, and the gate's decision."""

from collections.abc import Container
from dataclasses import dataclass

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from . import gate
from .compare import Gain, compare
from .gate import GateDecision
from .held_out import HeldOutRows, PredictedRows
from .scores import values
from .setup import EvaluationSetup
from .task import RowPredictions


@dataclass(frozen=True)
class Judgement:
    """The gate's decision, with the facts that it is based on."""

    verdict: GateDecision
    gains: list[Gain]
    """The challenger's gains, the gate's metric first; none without a champion."""
    recent: PredictedRows
    """The recent rows with the challenger's predictions."""
    champion: RowPredictions | None
    """The champion's predictions for these rows; None without one."""
    scores: dict[str, float]
    """The challenger's scores on these rows."""


def judge(setup: EvaluationSetup) -> Judgement:
    """Compare the two models; a first model is judged by its scores alone.

    Raises:
        StepError: UnsupportedModel or WrongSignature if champion or challenger rejects the rows;
            OneClass if the gate's metric is not defined on them.
    """
    plan, recent, metric = setup.plan, setup.recent, setup.plan.gate.metric
    champion = setup.predict_champion(recent) if setup.champion else None
    challenger = setup.predict_challenger(recent)
    gains = _compare(setup, champion, challenger) if champion else []
    scores = values(setup.task, recent.truth, challenger)
    _check_defined(metric, scores, recent)
    verdict = (
        gate.decide(plan.gate, gains, captured=setup.summary.captured > 0)
        if setup.champion
        else gate.decide_first(plan.gate, metric, scores[metric], len(recent.truth))
    )
    predicted = PredictedRows(setup.task, setup.features, recent.frame, recent.truth, challenger)
    return Judgement(verdict, gains, predicted, champion, scores)


def _compare(
    setup: EvaluationSetup, champion: RowPredictions, challenger: RowPredictions
) -> list[Gain]:
    """Return the gains on all rows; the predictions are those for the recent rows."""
    plan = setup.plan
    predicted = [(setup.recent, champion, challenger)]
    if rows := setup.reference:
        predicted.append((rows, setup.predict_champion(rows), setup.predict_challenger(rows)))
    gains: list[Gain] = []
    for rows, before, after in predicted:
        on_these = compare(setup.task, rows.truth, before, after, rows.on, plan.search.seed)
        _check_defined(plan.gate.metric, {gain.metric for gain in on_these}, rows)
        gains += on_these
    return sorted(gains, key=lambda gain: gain.metric != plan.gate.metric)


def _check_defined(metric: MetricName, defined: Container[str], rows: HeldOutRows) -> None:
    """Raise an error if the held-out rows do not define the metric of the gate."""
    if metric in defined:
        return
    why = f"whose labels are all {rows.truth[0]}"
    if rows.truth.dtype.kind == "f":
        why = "which have one and the same number, or on which the champion makes no error"
    raise StepError(
        TrainingFailure.ONE_CLASS,
        f"{metric} is not defined on the {len(rows.truth):,} rows of {rows.on}, {why}",
        field="gate.metric",
    )
