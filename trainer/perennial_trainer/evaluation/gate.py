"""Gate: it accepts or rejects the challenger, and explains the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from perennial_contracts.api.search import Gate
from perennial_contracts.stats.quality import ERRORS, RELATIVE, MetricName

from .compare import Gain, ceil_permille, floor_permille

TITLES: dict[str, str] = {
    "accuracy": "accuracy", "f1": "F1", "recall": "recall", "precision": "precision",
    "roc_auc": "ROC AUC", "balanced_accuracy": "balanced accuracy",
    "average_precision": "average precision", "log_loss": "log loss", "brier": "Brier score",
    "mae": "mean absolute error", "rmse": "RMSE", "r2": "R²",
    "pinball_10": "pinball loss at .1", "pinball_90": "pinball loss at .9",
}  # fmt: skip
EPSILON = 1e-9
"""Largest error of a sum of binary fractions at a limit."""
Decision = Literal["Accepted", "Rejected"]


@dataclass(frozen=True)
class GateDecision:
    """The gate's decision about a challenger."""

    decision: Decision
    reasoning: str
    """The scores and the limits, in a sentence."""

    @property
    def message(self) -> str:
        """The decision and its reasoning."""
        return f"{self.decision}: {self.reasoning}"


def decide(gate: Gate, gains: Sequence[Gain], captured: bool) -> GateDecision:
    """Compare the gains in the gate's metric with its limits.

    Args:
        gate: the limits.
        gains: the gate's metric on Recent, and on Reference if there is a baseline.
        captured: true if the Recent rows are captured, false if they are the baseline's.
    """
    metric = gate.metric
    recent = next(gain for gain in gains if gain.metric == metric and gain.on == "Recent")
    reference = [gain for gain in gains if gain.metric == metric and gain.on == "Reference"]
    least_gain = f"required: a gain of at least {_change(metric, gate.minImprovementPermille)}"
    facts = [f"on {_rows(recent, captured)} {_course(recent)}"]
    failed = []
    if recent.low < gate.minImprovementPermille / 1000 - EPSILON:
        failed.append(least_gain)
    if not _is_good_enough(gate, metric, recent.challenger):
        failed.append(f"required: {TITLES[metric]} of {_least(gate, metric)}")
    for gain in reference:
        facts.append(f"on {gain.rows:,} rows of the baseline {_course(gain)}")
        if gain.low <= -gate.maxRegressionPermille / 1000 + EPSILON:
            loss = _change(metric, gate.maxRegressionPermille).removeprefix("+")
            failed.append(f"required on the baseline: a loss of less than {loss}")
    if failed:
        return GateDecision("Rejected", "; ".join([*facts, *failed]))
    if reference:
        least_gain += f", on the baseline more than {_change(metric, -gate.maxRegressionPermille)}"
    return GateDecision("Accepted", "; ".join([*facts, least_gain]))


def decide_first(gate: Gate, metric: MetricName, value: float, rows: int) -> GateDecision:
    """Decide about a first model, which has no champion."""
    required = f"; required: {_least(gate, metric)}" if gate.minValuePermille else ""
    return GateDecision(
        "Accepted" if _is_good_enough(gate, metric, value) else "Rejected",
        f"a first model, on {rows:,} rows {TITLES[metric]} {_value(metric, value)}{required}",
    )


def _is_good_enough(gate: Gate, metric: MetricName, value: float) -> bool:
    """Compare a value with the limit: a maximum for an error, which 0 switches off."""
    limit = gate.minValuePermille / 1000
    if metric in ERRORS:
        return not limit or value <= limit + EPSILON
    return value >= limit - EPSILON


def _least(gate: Gate, metric: MetricName) -> str:
    word = "at most" if metric in ERRORS else "at least"
    return f"{word} {_value(metric, gate.minValuePermille / 1000)}"


def _rows(gain: Gain, captured: bool) -> str:
    return f"{gain.rows:,} captured rows" if captured else f"{gain.rows:,} rows of the baseline"


def _course(gain: Gain) -> str:
    before, after = (_value(gain.metric, value) for value in (gain.champion, gain.challenger))
    low, high = floor_permille(gain.low), ceil_permille(gain.high)
    return (
        f"{TITLES[gain.metric]} {before} → {after}, gain between "
        f"{_change(gain.metric, low)} and {_change(gain.metric, high)}"
    )


def _value(metric: MetricName, value: float) -> str:
    """Format a score: three decimals, as in .889, or four digits if unbounded."""
    if metric in RELATIVE:
        return f"{value:.4g}"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.removeprefix("-").startswith("0") else text


def _change(metric: MetricName, permille: int) -> str:
    """Format a gain: +.002, or +0.2 % if it is a share of the champion's value."""
    sign = "-" if permille < 0 else "+"
    if metric in RELATIVE:
        return f"{sign}{abs(permille) / 10:g} %"
    return f"{sign}{_value(metric, abs(permille) / 1000)}"
