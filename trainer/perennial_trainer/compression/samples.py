"""The rows that a compression learns from, and those that it is judged on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from perennial_contracts.stats.quality import MetricName

Feeds = Mapping[str, np.ndarray]
"""What a model is fed: by input its tensor, whose first dimension are the rows."""


def count(feeds: Feeds) -> int:
    """How many rows there are; 0 for no feeds at all."""
    return len(next(iter(feeds.values()))) if feeds else 0


def take(feeds: Feeds, rows: "np.ndarray | slice") -> dict[str, np.ndarray]:
    """Some of the rows."""
    return {name: values[rows] for name, values in feeds.items()}


def spread(feeds: Feeds, most: int) -> dict[str, np.ndarray]:
    """At most so many of the rows, from all over them, in their order."""
    return take(feeds, _places(count(feeds), most))


def _places(rows: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64))


@dataclass(frozen=True)
class Samples:
    """Rows, and what is measured on them.

    ``learn`` may be the rows that the model was trained on; ``held_out`` must not be.
    """

    learn: Feeds
    """For calibration, fine-tuning and students. Empty where there are none: methods that need
    rows then do not apply."""
    held_out: Feeds
    """For the gate, and for timing."""
    score: Callable[[dict[str, np.ndarray]], float]
    """The metric of a model's outputs (by name) for ``held_out``, all rows in their order. It
    knows the truth."""
    metric: MetricName
    """What ``score`` tells."""
    higher_is_better: bool
    learn_truth: np.ndarray | None = None
    """Shape (rows,): the truth of ``learn``, in the form in which the model answers: labels as its
    label output has them, numbers, or the number of the class for a model that has scores alone."""

    def __post_init__(self) -> None:
        if not count(self.held_out):
            raise ValueError("held_out: expected rows to judge on, got none")
        if self.learn_truth is not None and len(self.learn_truth) != count(self.learn):
            raise ValueError(
                f"learn_truth: expected a value for each of the {count(self.learn)} rows of learn, "
                f"got {len(self.learn_truth)}"
            )

    def some(self, most: int) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """At most so many of the rows to learn from, from all over them, and their truth."""
        places = _places(count(self.learn), most)
        truth = None if self.learn_truth is None else np.asarray(self.learn_truth)[places]
        return take(self.learn, places), truth
