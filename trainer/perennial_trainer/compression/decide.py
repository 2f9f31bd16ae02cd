"""Which of the compressed models is served, and why the others are not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from perennial_contracts.api.compression import CompressionGate
from perennial_contracts.stats.quality import RELATIVE
from perennial_contracts.wire.modelcard import CompressionTrial

LEAST_GAIN = 0.05
"""Share of the size, or of the time, that must be saved: less is not worth another model."""
MOST_LARGER = 1.5
MOST_SLOWER = 2.0
"""Times that what is faster may be larger, and what is smaller slower. Far from what a busy machine
does to a measurement."""
EPSILON = 1e-9
"""What a difference of binary fractions may be off a limit."""


def loss_of(gate: CompressionGate, higher_is_better: bool, before: float, after: float) -> float:
    """By how much the metric got worse; of metrics in RELATIVE as a share of what it was.

    Negative where it got better. Infinite where it is not defined any more.
    """
    lost = before - after if higher_is_better else after - before
    if gate.metric in RELATIVE:
        lost = lost / abs(before) if before else (0.0 if lost <= 0 else float("inf"))
    return lost if lost == lost else float("inf")


def passes(gate: CompressionGate, loss: float) -> bool:
    """Whether the gate lets a loss through."""
    return loss <= gate.maxLossPermille / 1000 + EPSILON


@dataclass(frozen=True)
class Verdict:
    """The trials with what became of them, and the place of the one that is kept."""

    trials: list[CompressionTrial]
    kept: int | None


def decide(
    gate: CompressionGate, original: CompressionTrial, trials: Sequence[CompressionTrial]
) -> Verdict:
    """Judges trials in their order: the first that passes and is smaller or faster is kept.

    Size is asked first, so that the clock decides only about models that are not smaller.

    Args:
        gate: what may be lost.
        original: the measured model as it was.
        trials: those of NotApplicable and Failed stay as they are; ``why`` of the others says what
            was done, and all their numbers are there.
    """
    judged: list[CompressionTrial] = []
    kept: int | None = None
    for place, trial in enumerate(trials):
        if trial.status in ("NotApplicable", "Failed"):
            judged.append(trial)
            continue
        problem = _problem(gate, original, trial)
        said = f"{trial.why}: {_course(gate, original, trial)}"
        if problem:
            judged.append(
                trial.model_copy(update={"status": "Refused", "why": f"{said}; {problem}"})
            )
        elif kept is None:
            kept = place
            judged.append(trial.model_copy(update={"status": "Kept", "why": said}))
        else:
            first = f"{judged[kept].method} came first"
            judged.append(trial.model_copy(update={"status": "Passed", "why": f"{said}; {first}"}))
    return Verdict(judged, kept)


def _problem(
    gate: CompressionGate, original: CompressionTrial, trial: CompressionTrial
) -> str | None:
    """What speaks against a trial; None where nothing does."""
    loss = trial.loss if trial.loss is not None else float("inf")
    if not passes(gate, loss):
        limit = _amount(gate, gate.maxLossPermille / 1000)
        return f"at most {limit} may be lost"
    size, one, batch = _ratios(original, trial)
    smaller, faster = size <= 1 - LEAST_GAIN, min(one, batch) <= 1 - LEAST_GAIN
    if not smaller and not faster:
        transfer = (trial.transfer_bytes or 0) / max(original.transfer_bytes or 1, 1)
        also = f" (gzipped it is {1 - transfer:.0%} smaller)" if transfer <= 1 - LEAST_GAIN else ""
        return f"neither smaller nor faster by {LEAST_GAIN:.0%}{also}"
    if max(one, batch) >= MOST_SLOWER:
        return f"{max(one, batch):.1f} times as slow"
    if size >= MOST_LARGER:
        return f"{size:.1f} times as large"
    return None


def _ratios(original: CompressionTrial, trial: CompressionTrial) -> tuple[float, float, float]:
    """Size, time of a row and time of a batch, as shares of the original's."""
    pairs = (
        (trial.size_bytes, original.size_bytes),
        (trial.p50_microseconds, original.p50_microseconds),
        (trial.batch_p50_microseconds, original.batch_p50_microseconds),
    )
    size, one, batch = ((new or 0.0) / (old or 1.0) for new, old in pairs)
    return size, one, batch


def _course(gate: CompressionGate, original: CompressionTrial, trial: CompressionTrial) -> str:
    before, after = original.value, trial.value
    undefined = "not defined"
    values = f"{undefined if before is None else f'{before:.4f}'} → " + (
        undefined if after is None else f"{after:.4f}"
    )
    size, one, batch = _ratios(original, trial)
    loss = float("inf") if trial.loss is None else trial.loss
    change = f"{'lost' if loss > 0 else 'gained'} {_amount(gate, abs(loss))}"
    if abs(loss) < EPSILON:
        change = "nothing lost"
    return (
        f"{gate.metric} {values} ({change}), {_bytes(original.size_bytes)} → "
        f"{_bytes(trial.size_bytes)} ({_change(size)}), one row {_change(one)} and "
        f"{trial.batch_rows} rows {_change(batch)} of the time"
    )


def _amount(gate: CompressionGate, loss: float) -> str:
    return f"{loss:.1%}" if gate.metric in RELATIVE else f"{loss:.4f}"


def _change(ratio: float) -> str:
    """As a signed percentage; of what is left of little, a digit more."""
    return f"{ratio - 1:+.0%}" if ratio >= 0.02 else f"{ratio - 1:+.1%}"


def _bytes(size: int | None) -> str:
    return f"{(size or 0) / 1000:,.1f} kB"
