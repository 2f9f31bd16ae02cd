"""Selection of the compressed model to serve. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from perennial_contracts.api.compression import CompressionGate
from perennial_contracts.stats.quality import RELATIVE
from perennial_contracts.wire.modelcard import CompressionTrial

LEAST_GAIN = 0.05
"""Share of the size or the time that must be saved: less does not justify a new model."""
MOST_LARGER = 1.5
MOST_SLOWER = 2.0
"""Limits for a faster model that is larger, and for a smaller model that is slower.

They are far larger than the measurement errors of a busy machine.
"""
EPSILON = 1e-9
"""Rounding error of a difference of binary fractions."""


def loss_of(gate: CompressionGate, higher_is_better: bool, before: float, after: float) -> float:
    """Return the loss of the metric.

    For metrics in RELATIVE, that is a share of the old value. A gain is negative. The loss is
    infinite if the metric is no longer defined.
    """
    lost = before - after if higher_is_better else after - before
    if gate.metric in RELATIVE:
        lost = lost / abs(before) if before else (0.0 if lost <= 0 else float("inf"))
    return lost if lost == lost else float("inf")


def passes(gate: CompressionGate, loss: float) -> bool:
    """Return whether a loss passes the gate."""
    return loss <= gate.maxLossPermille / 1000 + EPSILON


@dataclass(frozen=True)
class Selection:
    """The trials with their final status, and the index of the one to keep."""

    trials: list[CompressionTrial]
    kept: int | None


def decide(
    gate: CompressionGate, original: CompressionTrial, trials: Sequence[CompressionTrial]
) -> Selection:
    """Judge trials in order: keep the first that passes and is smaller or faster.

    Size is compared first, so that times decide only about models that are not smaller.

    Args:
        gate: limit of the loss.
        original: the trial of the original model.
        trials: the others. NotApplicable and Failed stay as they are; the others have all numbers,
            and ``why`` describes the variant.
    """
    judged: list[CompressionTrial] = []
    kept: int | None = None
    for index, trial in enumerate(trials):
        if trial.status in ("NotApplicable", "Failed"):
            judged.append(trial)
            continue
        problem = _problem(gate, original, trial)
        why = f"{trial.why}: {_describe(gate, original, trial)}"
        if problem:
            judged.append(
                trial.model_copy(update={"status": "Refused", "why": f"{why}; {problem}"})
            )
        elif kept is None:
            kept = index
            judged.append(trial.model_copy(update={"status": "Kept", "why": why}))
        else:
            first = f"{judged[kept].method} comes first"
            judged.append(trial.model_copy(update={"status": "Passed", "why": f"{why}; {first}"}))
    return Selection(judged, kept)


def _problem(
    gate: CompressionGate, original: CompressionTrial, trial: CompressionTrial
) -> str | None:
    """Return the reason against a trial, or None."""
    loss = trial.loss if trial.loss is not None else float("inf")
    if not passes(gate, loss):
        limit = _amount(gate, gate.maxLossPermille / 1000)
        return f"the limit is a loss of {limit}"
    size, row, batch = _ratios(original, trial)
    smaller, faster = size <= 1 - LEAST_GAIN, min(row, batch) <= 1 - LEAST_GAIN
    if not smaller and not faster:
        transfer = (trial.transfer_bytes or 0) / max(original.transfer_bytes or 1, 1)
        also = (
            f" (with gzip it is {1 - transfer:.0%} smaller)" if transfer <= 1 - LEAST_GAIN else ""
        )
        return f"neither smaller nor faster by {LEAST_GAIN:.0%}{also}"
    if max(row, batch) >= MOST_SLOWER:
        return f"{max(row, batch):.1f} times as slow"
    if size >= MOST_LARGER:
        return f"{size:.1f} times as large"
    return None


def _ratios(original: CompressionTrial, trial: CompressionTrial) -> tuple[float, float, float]:
    """Return size, time of a row and time of a batch, as shares of the original's."""
    pairs = (
        (trial.size_bytes, original.size_bytes),
        (trial.p50_microseconds, original.p50_microseconds),
        (trial.batch_p50_microseconds, original.batch_p50_microseconds),
    )
    size, row, batch = ((new or 0.0) / (old or 1.0) for new, old in pairs)
    return size, row, batch


def _describe(gate: CompressionGate, original: CompressionTrial, trial: CompressionTrial) -> str:
    before, after = original.value, trial.value
    undefined = "not defined"
    values = f"{undefined if before is None else f'{before:.4f}'} → " + (
        undefined if after is None else f"{after:.4f}"
    )
    size, row, batch = _ratios(original, trial)
    loss = float("inf") if trial.loss is None else trial.loss
    change = f"{'lost' if loss > 0 else 'gained'} {_amount(gate, abs(loss))}"
    if abs(loss) < EPSILON:
        change = "nothing lost"
    return (
        f"{gate.metric} {values} ({change}), {_bytes(original.size_bytes)} → "
        f"{_bytes(trial.size_bytes)} ({_change(size)}), one row {_change(row)} and "
        f"{trial.batch_rows} rows {_change(batch)} of the time"
    )


def _amount(gate: CompressionGate, loss: float) -> str:
    return f"{loss:.1%}" if gate.metric in RELATIVE else f"{loss:.4f}"


def _change(ratio: float) -> str:
    """Format a ratio as a signed percentage, with a digit more for small ratios."""
    return f"{ratio - 1:+.0%}" if ratio >= 0.02 else f"{ratio - 1:+.1%}"


def _bytes(size: int | None) -> str:
    return f"{(size or 0) / 1000:,.1f} kB"
