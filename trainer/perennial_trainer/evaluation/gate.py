"""Whether the challenger takes the champion's place, and why, in a sentence."""

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
"""What a sum of binary fractions may be off a limit."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says."""

    decision: Literal["Accepted", "Rejected"]
    message: str


def judge(gate: Gate, gains: Sequence[Gain], captured: bool) -> Verdict:
    """Compares the gate's metric with its limits.

    Args:
        gate: the limits.
        gains: with the gate's metric on Recent, and on Reference where there is a baseline.
        captured: whether Recent are captured rows; else they are the baseline's own.
    """
    metric = gate.metric
    recent = next(gain for gain in gains if gain.metric == metric and gain.on == "Recent")
    reference = [gain for gain in gains if gain.metric == metric and gain.on == "Reference"]
    asked = gate.minImprovementPermille
    told = [f"on {_rows(recent, captured)} {_course(recent)}"]
    failed = []
    if recent.low < asked / 1000 - EPSILON:
        failed.append(f"at least {_change(metric, asked)} is asked for")
    if not _is_good_enough(gate, metric, recent.challenger):
        failed.append(f"{TITLES[metric]} of {_least(gate, metric)} is asked for")
    for gain in reference:
        told.append(f"on {gain.rows:,} rows of the baseline {_course(gain)}")
        if gain.low <= -gate.maxRegressionPermille / 1000 + EPSILON:
            failed.append(
                "on the baseline it must be sure to lose less than "
                f"{_change(metric, gate.maxRegressionPermille).removeprefix('+')}"
            )
    limits = f"at least {_change(metric, asked)} is asked for"
    if not failed and reference:
        limits += f", on the baseline more than {_change(metric, -gate.maxRegressionPermille)}"
    decision: Literal["Accepted", "Rejected"] = "Rejected" if failed else "Accepted"
    return Verdict(decision, f"{decision}: {'; '.join([*told, *(failed or [limits])])}")


def judge_first(gate: Gate, metric: MetricName, value: float, rows: int) -> Verdict:
    """The verdict on a first model, which has none to stand against."""
    decision: Literal["Accepted", "Rejected"] = (
        "Accepted" if _is_good_enough(gate, metric, value) else "Rejected"
    )
    asked = f"; {_least(gate, metric)} is asked for" if gate.minValuePermille else ""
    return Verdict(
        decision,
        f"{decision}: a first model, on {rows:,} rows {TITLES[metric]} "
        f"{_value(metric, value)}{asked}",
    )


def _is_good_enough(gate: Gate, metric: MetricName, value: float) -> bool:
    """Of an error the limit is the most that it may be, and there is none where it is 0."""
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
    """Three digits, as scores are written: .889; of what has no upper end four that count."""
    if metric in RELATIVE:
        return f"{value:.4g}"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.removeprefix("-").startswith("0") else text


def _change(metric: MetricName, permille: int) -> str:
    """A gain: +.002, or +0.2 % where it is a share of what there was."""
    sign = "-" if permille < 0 else "+"
    if metric in RELATIVE:
        return f"{sign}{abs(permille) / 10:g} %"
    return f"{sign}{_value(metric, abs(permille) / 1000)}"
