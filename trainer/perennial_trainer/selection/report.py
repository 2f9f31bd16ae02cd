"""The trials of a search, as search.json and as log lines."""

import json
from typing import Any

from pydantic import BaseModel

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import CandidateTrial, TaskName

from .folds import Order
from .model_kinds import SearchCandidate


class SearchReport(BaseModel):
    """The contents of search.json."""

    task: TaskName = "Classification"
    metric: MetricName
    order: Order
    """Shuffled if search.order is, or if a fold in the order of time lacks a class."""
    trials: list[CandidateTrial]
    """All trials; the first, Dummy, predicts a constant."""
    chosen: int
    """Index of the trial whose settings were chosen."""
    why: str
    budget: dict[str, int] = {}
    """The limits p95Microseconds and sizeBytes, if given."""

    def settings(self) -> str:
        """Return the chosen settings as JSON."""
        return json.dumps(self.trials[self.chosen].params, sort_keys=True)


def start_trial(candidate: SearchCandidate) -> CandidateTrial:
    """Return the trial of a candidate, without results."""
    plain: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in candidate.params.items()
    }
    continues = candidate.trees is not None
    return CandidateTrial(kind=candidate.kind, params=plain, goes_on=continues)


def format_trial(trial: CandidateTrial, metric: MetricName) -> str:
    """Return a trial as a log line."""
    settings = ", ".join(f"{key}={value}" for key, value in trial.params.items())
    name = f"{trial.kind}({settings})" if settings else trial.kind
    name += " continued from the champion's trees" if trial.goes_on else ""
    if trial.mean is None:
        return f"{name}: {trial.status.lower()}: {trial.problem}"
    text = f"{name}: {metric} {trial.mean:.4f} ± {trial.deviation:.4f} in {trial.seconds:.1f} s"
    if trial.size_bytes is not None:
        text += f", {trial.p95_microseconds:.0f} µs and {trial.size_bytes:,} bytes as ONNX"
    return text
