"""What was tried, as search.json tells it and as a line for people."""

import json
from typing import Any

from pydantic import BaseModel

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import CandidateTrial, TaskName

from .folds import Order
from .model_kinds import Proposal


class SearchReport(BaseModel):
    """The contents of search.json."""

    task: TaskName = "Classification"
    metric: MetricName
    order: Order
    """TimeOrdered, or Shuffled where that is asked for, or where the folds in the order of time
    lack a class."""
    trials: list[CandidateTrial]
    """The first one, Dummy, learns nothing."""
    chosen: int
    """Index of the trial whose settings were taken."""
    why: str
    budget: dict[str, int] = {}
    """p95Microseconds and sizeBytes, where they were given."""

    def settings(self) -> str:
        """Those of the one that was chosen, as JSON."""
        return json.dumps(self.trials[self.chosen].params, sort_keys=True)


def start_trial(proposal: Proposal) -> CandidateTrial:
    """The trial of a proposal, before anything is known of it."""
    plain: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in proposal.params.items()
    }
    goes_on = proposal.trees is not None
    return CandidateTrial(kind=proposal.kind, params=plain, goes_on=goes_on)


def line(trial: CandidateTrial, metric: MetricName) -> str:
    """A trial for people."""
    settings = ", ".join(f"{key}={value}" for key, value in trial.params.items())
    name = f"{trial.kind}({settings})" if settings else trial.kind
    name += " from the champion's trees on" if trial.goes_on else ""
    if trial.mean is None:
        return f"{name}: {trial.status.lower()}: {trial.problem}"
    text = f"{name}: {metric} {trial.mean:.4f} ± {trial.deviation:.4f} in {trial.seconds:.1f} s"
    if trial.size_bytes is not None:
        text += f", {trial.p95_microseconds:.0f} µs and {trial.size_bytes:,} bytes as ONNX"
    return text
