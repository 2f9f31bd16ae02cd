"""The rows for a compression: to train on, and to judge on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from perennial_contracts.stats.quality import MetricName

Feeds = Mapping[str, np.ndarray]
"""Tensors of a model by input. Their first dimension is the rows."""


def count(feeds: Feeds) -> int:
    """Return the number of rows; 0 without feeds."""
    return len(next(iter(feeds.values()))) if feeds else 0


def take(feeds: Feeds, rows: "np.ndarray | slice") -> dict[str, np.ndarray]:
    """Return some of the rows."""
    return {name: values[rows] for name, values in feeds.items()}


def spread(feeds: Feeds, most: int) -> dict[str, np.ndarray]:
    """Return at most so many rows, evenly spread, in their order."""
    return take(feeds, _spread_indices(count(feeds), most))


def _spread_indices(rows: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64))


@dataclass(frozen=True)
class Samples:
    """Rows, and the metric that is measured on them.

    ``learn`` may be the training rows of the model; ``held_out`` must not be.
    """

    learn: Feeds
    """Rows for calibration, fine-tuning and students.

    If it is empty, methods that need rows are not applicable.
    """
    held_out: Feeds
    """Rows for the gate and for timing."""
    score: Callable[[dict[str, np.ndarray]], float]
    """Function that returns the metric of a model's outputs for all rows of ``held_out``.

    The outputs are by name. The function has the truth.
    """
    metric: MetricName
    """The metric that ``score`` returns."""
    higher_is_better: bool
    learn_truth: np.ndarray | None = None
    """Truth of ``learn`` in the form of the model's outputs, shape (rows,).

    These are labels as in its output of labels, numbers, or class indices if it only has scores.
    """

    def __post_init__(self) -> None:
        if not count(self.held_out):
            raise ValueError("held_out: expected rows to judge on, got none")
        if self.learn_truth is not None and len(self.learn_truth) != count(self.learn):
            raise ValueError(
                f"learn_truth: expected a value for each of the {count(self.learn)} rows of learn, "
                f"got {len(self.learn_truth)}"
            )

    def some(self, most: int) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Return at most so many rows of ``learn``, evenly spread, and their truth."""
        chosen = _spread_indices(count(self.learn), most)
        truth = None if self.learn_truth is None else np.asarray(self.learn_truth)[chosen]
        return take(self.learn, chosen), truth
