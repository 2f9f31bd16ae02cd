"""What a trainer says of itself, as it stands in the status: bounded, and without floats."""

from math import isfinite

from perennial_contracts.api.retrainjob_status import BestSoFar, TrainingProgress
from perennial_contracts.wire.run_plan import Best, Progress

_MOST = 2**31 - 1
"""Of the trials that are told; the API takes no number above 2**63 - 1."""
_LARGEST = 1e20
"""Of the values that are told as decimal numbers."""


def told(progress: Progress) -> TrainingProgress:
    """The progress within the bounds of the status. A best value that is no number is left out."""
    return TrainingProgress(
        phase=progress.phase[:64],
        trialsDone=_count(progress.trialsDone),
        trialsTotal=_count(progress.trialsTotal),
        best=_best(progress.best) if progress.best else None,
    )


def _count(trials: int) -> int:
    return min(max(trials, 0), _MOST)


def _best(best: Best) -> BestSoFar | None:
    if not isfinite(best.value) or abs(best.value) > _LARGEST:
        return None
    return BestSoFar(kind=best.kind[:256], metric=best.metric, value=f"{best.value:.4f}")
