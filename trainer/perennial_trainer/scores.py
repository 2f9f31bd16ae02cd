"""Scores of answers to rows whose truth is known, over all rows or over many resamples at once.

A resample draws contiguous blocks of rows with replacement, so it is a weight for each block. What
the metrics need is therefore counted once a block: confusion matrices add up, and the pairs that
ROC AUC counts are a matrix over (block of the positive row, block of the negative row).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perennial_contracts.quality import MetricName

from .features import sort_labels

METRICS: tuple[MetricName, ...] = ("accuracy", "f1", "recall", "precision", "roc_auc")


@dataclass(frozen=True)
class Answers:
    """What a model says about some rows."""

    labels: np.ndarray
    """Shape (rows,): texts."""
    probabilities: np.ndarray
    """Shape (rows, classes), in the order of ``classes``."""
    classes: list[str]

    def score(self, label: str) -> np.ndarray:
        """The probability of a class, shape (rows,); 0 where the model does not know it."""
        if label not in self.classes:
            return np.zeros(len(self.labels))
        return np.asarray(self.probabilities[:, self.classes.index(label)], np.float64)


@dataclass(frozen=True)
class Task:
    """What is told apart."""

    classes: list[str]
    """All that occur, in sorting order."""
    positive: str | None
    """Of two classes the one that scores are about; None with more."""

    @property
    def metrics(self) -> list[MetricName]:
        """Those that make sense: there is no ROC AUC with more than two classes."""
        return [name for name in METRICS if self.positive is not None or name != "roc_auc"]


class Counts:
    """What a model's answers come to, block by block."""

    def __init__(
        self, task: Task, truth: np.ndarray, answers: Answers, blocks: np.ndarray | None = None
    ) -> None:
        """Counts.

        Args:
            task: the classes; every truth and every answer must be among them.
            truth: shape (rows,), texts.
            answers: of the same rows.
            blocks: shape (rows,), the number of each row's block, from 0; one block where absent.
        """
        place = {label: index for index, label in enumerate(task.classes)}
        true = np.array([place[label] for label in truth], np.int64)
        said = np.array([place[label] for label in answers.labels], np.int64)
        block = np.zeros(len(truth), np.int64) if blocks is None else blocks
        size, many = len(place), int(block.max(initial=0)) + 1
        self._positive = None if task.positive is None else place[task.positive]
        cells = (block * size + said) * size + true
        self.matrices = np.bincount(cells, minlength=many * size * size).reshape(many, size, size)
        """Shape (blocks, classes, classes); row is the answer, column the truth."""
        self._pairs = np.zeros((0, 0))
        if task.positive is not None:
            scores = answers.score(task.positive)
            self._pairs = _pairs(scores, true == self._positive, block, many)

    @property
    def matrix(self) -> np.ndarray:
        """The confusion matrix of all rows; row is the answer, column the truth."""
        return np.asarray(self.matrices.sum(axis=0))

    def value(self, metric: MetricName) -> float:
        """The metric over all rows; NaN where it is not defined (only one class, for ROC AUC)."""
        return float(self.resampled(metric, np.ones((1, len(self.matrices))))[0])

    def resampled(self, metric: MetricName, weights: np.ndarray) -> np.ndarray:
        """The metric over resamples.

        Args:
            metric: which.
            weights: shape (resamples, blocks): how often each block was drawn.

        Returns:
            Shape (resamples,); NaN where it is not defined.
        """
        counts = np.tensordot(weights.astype(np.float64), self.matrices, axes=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            if metric == "roc_auc":
                true = counts.sum(axis=1)
                all_pairs = true[:, self._positive] * (true.sum(axis=1) - true[:, self._positive])
                return np.asarray(
                    np.einsum("rp,pn,rn->r", weights, self._pairs, weights, optimize=True)
                    / all_pairs
                )
            right = np.diagonal(counts, axis1=1, axis2=2)
            if metric == "accuracy":
                return np.asarray(right.sum(axis=1) / counts.sum(axis=(1, 2)))
            said, true = counts.sum(axis=2), counts.sum(axis=1)
            whole = {"precision": said, "recall": true, "f1": (said + true) / 2}[metric]
            values = np.where(whole > 0, right / whole, 0.0)
            if self._positive is not None:
                return np.asarray(values[:, self._positive])
            seen = (said + true) > 0
            return np.asarray((values * seen).sum(axis=1) / seen.sum(axis=1))


def _pairs(scores: np.ndarray, positive: np.ndarray, block: np.ndarray, many: int) -> np.ndarray:
    """Pairs of rows that are in the right order, by block; a tie counts half.

    Entry (p, n) is about the positive rows of block p and the negative ones of block n: the
    Mann-Whitney form of the area under the ROC curve, split up.
    """
    pairs = np.zeros((many, many))
    for negative_block in range(many):
        negatives = np.sort(scores[~positive & (block == negative_block)])
        if negatives.size:
            below = np.searchsorted(negatives, scores[positive], "left")
            not_above = np.searchsorted(negatives, scores[positive], "right")
            pairs[:, negative_block] = np.bincount(
                block[positive], weights=(below + not_above) / 2, minlength=many
            )
    return pairs


def cut_blocks(rows: int, most: int) -> np.ndarray:
    """The block of each row: contiguous, of nearly equal size, at most ``most`` of them."""
    many = max(1, min(rows, most))
    return np.asarray(np.arange(rows) * many // max(rows, 1), np.int64)


def draw(blocks: int, resamples: int, seed: int) -> np.ndarray:
    """How often each block is drawn: shape (resamples, blocks), int64, rows sum to ``blocks``."""
    random = np.random.default_rng(seed)
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), resamples)


def values(task: Task, truth: np.ndarray, answers: Answers) -> dict[str, float]:
    """All metrics that are defined, to six digits."""
    counts = Counts(task, truth, answers)
    found = {metric: counts.value(metric) for metric in task.metrics}
    return {metric: round(value, 6) for metric, value in found.items() if not np.isnan(value)}


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
