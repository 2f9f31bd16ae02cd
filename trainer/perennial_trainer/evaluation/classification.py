"""What a classifier's answers come to, over all rows or over many resamples at once.

A resample is a weight for each block of rows. What the metrics need is therefore counted once a
block: confusion matrices and losses add up, and the pairs that ROC AUC counts are a matrix over
(block of the positive row, block of the negative row).
"""

import numpy as np

from perennial_contracts.stats.quality import MetricName

from .ranks import Ranking, pairs
from .task import Answers, Task

LEAST_PROBABILITY = 1e-15
"""What log loss takes a probability of 0 for."""


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
        self._losses = np.bincount(block, _log_losses(task, true, answers), many)
        """Shape (blocks,): sums of the log loss."""
        self._pairs = np.zeros((0, 0))
        self._squares: np.ndarray = np.zeros(0)
        self._ranking: Ranking | None = None
        if task.positive is not None:
            scores, is_positive = answers.score(task.positive), true == self._positive
            self._pairs = pairs(scores, is_positive, block, many)
            self._squares = np.bincount(block, (scores - is_positive) ** 2, many)
            self._ranking = Ranking(scores, is_positive, block, many)

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
            if metric == "average_precision":
                assert self._ranking is not None
                return self._ranking.average_precision(weights)
            rows = counts.sum(axis=(1, 2))
            if metric in ("log_loss", "brier"):
                sums = self._losses if metric == "log_loss" else self._squares
                return np.asarray(weights @ sums / rows)
            right = np.diagonal(counts, axis1=1, axis2=2)
            if metric == "accuracy":
                return np.asarray(right.sum(axis=1) / rows)
            said, true = counts.sum(axis=2), counts.sum(axis=1)
            if metric == "balanced_accuracy":
                return np.asarray(np.nanmean(np.where(true > 0, right / true, np.nan), axis=1))
            whole = {"precision": said, "recall": true, "f1": (said + true) / 2}[metric]
            values = np.where(whole > 0, right / whole, 0.0)
            if self._positive is not None:
                return np.asarray(values[:, self._positive])
            seen = (said + true) > 0
            return np.asarray((values * seen).sum(axis=1) / seen.sum(axis=1))


def _log_losses(task: Task, true: np.ndarray, answers: Answers) -> np.ndarray:
    """Minus the logarithm of the probability of each row's truth; shape (rows,)."""
    by_class = np.column_stack([answers.score(label) for label in task.classes])
    total = by_class.sum(axis=1)
    # Scores that do not sum to one are shares, as scikit-learn takes them.
    told = by_class[np.arange(len(true)), true] / np.where(total > 0, total, 1)
    return np.asarray(-np.log(np.clip(told, LEAST_PROBABILITY, 1)))
