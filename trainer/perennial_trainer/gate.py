"""Whether the challenger takes the champion's place, and why, in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from perennial_contracts.quality import MetricName
from perennial_contracts.retrainjob import Gate

from .compare import Gain, ceil_permille, floor_permille

TITLES: dict[MetricName, str] = {
    "accuracy": "accuracy", "f1": "F1", "recall": "recall", "precision": "precision",
    "roc_auc": "ROC AUC",
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
    recent = next(gain for gain in gains if gain.metric == gate.metric and gain.on == "Recent")
    reference = [gain for gain in gains if gain.metric == gate.metric and gain.on == "Reference"]
    asked, least = gate.minImprovementPermille / 1000, gate.minValuePermille / 1000
    told = [f"on {_rows(recent, captured)} {_course(recent)}"]
    failed = []
    if recent.low < asked - EPSILON:
        failed.append(f"at least {_signed(gate.minImprovementPermille)} is asked for")
    if recent.challenger < least - EPSILON:
        failed.append(f"{TITLES[gate.metric]} of at least {_share(least)} is asked for")
    for gain in reference:
        told.append(f"on {gain.rows:,} rows of the baseline {_course(gain)}")
        if gain.low <= -gate.maxRegressionPermille / 1000 + EPSILON:
            failed.append(
                "on the baseline it must be sure to lose less than "
                f"{_share(gate.maxRegressionPermille / 1000)}"
            )
    limits = f"at least {_signed(gate.minImprovementPermille)} is asked for"
    if not failed and reference:
        limits += f", on the baseline more than {_signed(-gate.maxRegressionPermille)}"
    decision: Literal["Accepted", "Rejected"] = "Rejected" if failed else "Accepted"
    return Verdict(decision, f"{decision}: {'; '.join([*told, *(failed or [limits])])}")


def judge_first(gate: Gate, metric: MetricName, value: float, rows: int) -> Verdict:
    """The verdict on a first model, which has none to stand against."""
    least = gate.minValuePermille / 1000
    decision: Literal["Accepted", "Rejected"] = (
        "Accepted" if value >= least - EPSILON else "Rejected"
    )
    asked = f"; at least {_share(least)} is asked for" if least else ""
    return Verdict(
        decision,
        f"{decision}: a first model, on {rows:,} rows {TITLES[metric]} {_share(value)}{asked}",
    )


def _rows(gain: Gain, captured: bool) -> str:
    return f"{gain.rows:,} captured rows" if captured else f"{gain.rows:,} rows of the baseline"


def _course(gain: Gain) -> str:
    return (
        f"{TITLES[gain.metric]} {_share(gain.champion)} → {_share(gain.challenger)}, gain between "
        f"{_signed(floor_permille(gain.low))} and {_signed(ceil_permille(gain.high))}"
    )


def _share(value: float) -> str:
    """Three digits, as scores are written: .889."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0") else text


def _signed(permille: int) -> str:
    return f"{'-' if permille < 0 else '+'}{_share(abs(permille) / 1000)}"
