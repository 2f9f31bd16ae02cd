"""What is learnt, and what a model says about rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import TaskName

from ..data.features import as_text, sort_labels

CLASSES: tuple[MetricName, ...] = (
    "accuracy", "balanced_accuracy", "f1", "recall", "precision", "roc_auc", "average_precision",
    "log_loss", "brier",
)  # fmt: skip
NUMBERS: tuple[MetricName, ...] = ("rmse", "mae", "r2", "pinball_10", "pinball_90")
BINARY: frozenset[MetricName] = frozenset({"roc_auc", "average_precision", "brier"})
"""Those that there are for two classes only."""


@dataclass(frozen=True)
class Answers:
    """What a model says about some rows: labels with probabilities, or numbers."""

    labels: np.ndarray
    """Shape (rows,): texts; the numbers as texts where these are what is answered."""
    probabilities: np.ndarray
    """Shape (rows, classes), in the order of ``classes``."""
    classes: list[str]
    values: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Shape (rows,), float64: the numbers that a regressor answers."""

    @classmethod
    def of_numbers(cls, values: np.ndarray) -> "Answers":
        """A regressor's answers, shape (rows,)."""
        numbers = np.asarray(values, np.float64)
        return cls(as_text(numbers.tolist()), np.zeros((len(numbers), 0)), [], numbers)

    def score(self, label: str) -> np.ndarray:
        """The probability of a class, shape (rows,); 0 where the model does not know it."""
        if label not in self.classes:
            return np.zeros(len(self.labels))
        return np.asarray(self.probabilities[:, self.classes.index(label)], np.float64)

    def __getitem__(self, rows: Any) -> "Answers":
        return Answers(
            self.labels[rows],
            self.probabilities[rows],
            self.classes,
            self.values[rows] if len(self.values) else self.values,
        )


@dataclass(frozen=True)
class Task:
    """What is told apart, or that numbers are told."""

    classes: list[str]
    """All that occur, in sorting order; none where numbers are told."""
    positive: str | None
    """Of two classes the one that scores are about; None with more."""

    @property
    def kind(self) -> TaskName:
        return "Classification" if self.classes else "Regression"

    @property
    def metrics(self) -> list[MetricName]:
        """Those that make sense."""
        if self.kind == "Regression":
            return list(NUMBERS)
        return [name for name in CLASSES if self.positive is not None or name not in BINARY]


REGRESSION = Task([], None)


def make_task(labels: Sequence[Any], positive: str | None) -> Task:
    """The task of some classes; of two the last one is positive unless another is named.

    Raises:
        ValueError: where the positive class is none of two.
    """
    classes = sort_labels(map(str, labels))
    if len(classes) != 2:
        return Task(classes, None)
    if positive is not None and positive not in classes:
        raise ValueError(f"expected one of the labels {', '.join(classes)}, got {positive!r}")
    return Task(classes, classes[1] if positive is None else positive)
