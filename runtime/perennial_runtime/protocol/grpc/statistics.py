"""What a model did since it was loaded, as Triton's statistics extension counts it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Duration:
    """How often something happened, and how long all of it took."""

    count: int = 0
    ns: int = 0


@dataclass(frozen=True, slots=True)
class BatchStatistics:
    """The runs of one batch size."""

    compute_input: Duration = Duration()
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()


@dataclass(frozen=True, slots=True)
class Statistics:
    """The counts only grow."""

    last_inference_ms: int = 0
    """When the last request came, since 1970."""
    inference_count: int = 0
    """Rows; one for a request without a batch."""
    execution_count: int = 0
    """Runs of the model; fewer than requests where these are batched."""
    success: Duration = Duration()
    """Whole requests."""
    fail: Duration = Duration()
    queue: Duration = Duration()
    compute_input: Duration = Duration()
    """Reading requests."""
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()
    """Writing answers."""
    batches: Mapping[int, BatchStatistics] = field(default_factory=lambda: MappingProxyType({}))
    """By batch size."""
