"""The task of a model, and its predictions for rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import TaskName

from ..data.labels import as_text, sort_labels

CLASSES: tuple[MetricName, ...] = (
    "accuracy", "balanced_accuracy", "f1", "recall", "precision", "roc_auc", "average_precision",
    "log_loss", "brier",
)  # fmt: skip
NUMBERS: tuple[MetricName, ...] = ("rmse", "mae", "r2", "pinball_10", "pinball_90")
BINARY: frozenset[MetricName] = frozenset({"roc_auc", "average_precision", "brier"})
"""Metrics that exist for two classes only."""


@dataclass(frozen=True)
class RowPredictions:
    """A model's predictions for rows: labels with probabilities, or numbers."""

    labels: np.ndarray
    """Shape (rows,): texts; for a regressor its numbers as text."""
    probabilities: np.ndarray
    """Shape (rows, classes), in the order of ``classes``."""
    classes: list[str]
    values: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Shape (rows,), float64: the numbers of a regressor."""

    @classmethod
    def of_numbers(cls, values: np.ndarray) -> "RowPredictions":
        """Return the predictions of a regressor, shape (rows,)."""
        numbers = np.asarray(values, np.float64)
        return cls(as_text(numbers.tolist()), np.zeros((len(numbers), 0)), [], numbers)

    def score(self, label: str) -> np.ndarray:
        """Return the probability of a class, shape (rows,); 0 if the model lacks it."""
        if label not in self.classes:
            return np.zeros(len(self.labels))
        return np.asarray(self.probabilities[:, self.classes.index(label)], np.float64)

    def __getitem__(self, rows: Any) -> "RowPredictions":
        return RowPredictions(
            self.labels[rows],
            self.probabilities[rows],
            self.classes,
            self.values[rows] if len(self.values) else self.values,
        )


@dataclass(frozen=True)
class Task:
    """Classification with its classes, or regression."""

    classes: list[str]
    """All classes of the data, in sorting order; none for a regression."""
    positive: str | None
    """The class that scores are about; None unless there are two classes."""

    @property
    def kind(self) -> TaskName:
        return "Classification" if self.classes else "Regression"

    @property
    def metrics(self) -> list[MetricName]:
        """The metrics that exist for the task."""
        if self.kind == "Regression":
            return list(NUMBERS)
        return [name for name in CLASSES if self.positive is not None or name not in BINARY]


REGRESSION = Task([], None)


def make_task(labels: Sequence[Any], positive: str | None) -> Task:
    """Return the task of classes; the last of two is positive unless another is given.

    Raises:
        ValueError: if the positive class is neither of the two.
    """
    classes = sort_labels(map(str, labels))
    if len(classes) != 2:
        return Task(classes, None)
    if positive is not None and positive not in classes:
        raise ValueError(f"expected one of the labels {', '.join(classes)}, got {positive!r}")
    return Task(classes, classes[1] if positive is None else positive)
