"""Metrics of a classifier over all rows, or over many resamples at once.

A resample is a weight for each block of rows, so every metric is computed from statistics that are
gathered once for each block. Confusion matrices and losses add up. ROC AUC needs a matrix of the
pairs (block of the positive row, block of the negative row), average precision the ranks.
"""

import numpy as np

from perennial_contracts.stats.quality import MetricName

from .task import RowPredictions, Task

LEAST_PROBABILITY = 1e-15
"""Log loss counts smaller probabilities as this."""
MOST_STEPS = 1000
"""Most steps of the precision-recall curve that average precision is computed from."""


class ClassificationStatistics:
    """Statistics of a classifier's predictions, block by block."""

    def __init__(
        self,
        task: Task,
        truth: np.ndarray,
        predictions: RowPredictions,
        blocks: np.ndarray | None = None,
    ) -> None:
        """Gather the statistics.

        Args:
            task: the classes; every label of ``truth`` and ``predictions`` must be one of them.
            truth: shape (rows,), texts.
            predictions: predictions for the same rows.
            blocks: number of each row's block, from 0, shape (rows,); None for a single block.
        """
        index = {label: number for number, label in enumerate(task.classes)}
        true = np.array([index[label] for label in truth], np.int64)
        predicted = np.array([index[label] for label in predictions.labels], np.int64)
        block = np.zeros(len(truth), np.int64) if blocks is None else blocks
        size, count = len(index), int(block.max(initial=0)) + 1
        self._positive = None if task.positive is None else index[task.positive]
        cells = (block * size + predicted) * size + true
        self.matrices = np.bincount(cells, minlength=count * size * size).reshape(count, size, size)
        """Confusion matrices, shape (blocks, classes, classes): a row for each predicted class."""
        self._losses = np.bincount(block, _log_losses(task, true, predictions), count)
        """Sums of the log loss, shape (blocks,)."""
        self._pairs = np.zeros((0, 0))
        self._squares: np.ndarray = np.zeros(0)
        self._ranking: Ranking | None = None
        if task.positive is not None:
            scores, is_positive = predictions.score(task.positive), true == self._positive
            self._pairs = count_pairs(scores, is_positive, block, count)
            self._squares = np.bincount(block, (scores - is_positive) ** 2, count)
            self._ranking = Ranking(scores, is_positive, block, count)

    @property
    def matrix(self) -> np.ndarray:
        """The confusion matrix of all rows: a row for each predicted class."""
        return np.asarray(self.matrices.sum(axis=0))

    def value(self, metric: MetricName) -> float:
        """Return the metric over all rows; NaN if undefined, as ROC AUC of one class."""
        return float(self.resampled(metric, np.ones((1, len(self.matrices))))[0])

    def resampled(self, metric: MetricName, weights: np.ndarray) -> np.ndarray:
        """Return the metric over resamples.

        Args:
            metric: the metric.
            weights: how often each block is drawn, shape (resamples, blocks).

        Returns:
            Shape (resamples,); NaN where the metric is not defined.
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
            predicted, true = counts.sum(axis=2), counts.sum(axis=1)
            if metric == "balanced_accuracy":
                return np.asarray(np.nanmean(np.where(true > 0, right / true, np.nan), axis=1))
            whole = {"precision": predicted, "recall": true, "f1": (predicted + true) / 2}[metric]
            values = np.where(whole > 0, right / whole, 0.0)
            if self._positive is not None:
                return np.asarray(values[:, self._positive])
            seen = (predicted + true) > 0
            return np.asarray((values * seen).sum(axis=1) / seen.sum(axis=1))


def _log_losses(task: Task, true: np.ndarray, predictions: RowPredictions) -> np.ndarray:
    """Return the negative log of the probability of each label; shape (rows,)."""
    by_class = np.column_stack([predictions.score(label) for label in task.classes])
    total = by_class.sum(axis=1)
    # Scores that do not sum to one are normalized, as in scikit-learn.
    probability = by_class[np.arange(len(true)), true] / np.where(total > 0, total, 1)
    return np.asarray(-np.log(np.clip(probability, LEAST_PROBABILITY, 1)))


def count_pairs(
    scores: np.ndarray, positive: np.ndarray, block: np.ndarray, count: int
) -> np.ndarray:
    """Count the pairs of rows in the right order, by block; a tie counts half.

    Entry (p, n) is for the positive rows of block p and the negative rows of block n: the
    Mann-Whitney form of the area under the ROC curve, split by block.
    """
    pairs = np.zeros((count, count))
    for negative_block in range(count):
        negatives = np.sort(scores[~positive & (block == negative_block)])
        if negatives.size:
            below = np.searchsorted(negatives, scores[positive], "left")
            not_above = np.searchsorted(negatives, scores[positive], "right")
            pairs[:, negative_block] = np.bincount(
                block[positive], weights=(below + not_above) / 2, minlength=count
            )
    return pairs


class Ranking:
    """Positive and negative rows by score, from the highest to the lowest."""

    def __init__(
        self, scores: np.ndarray, positive: np.ndarray, block: np.ndarray, count: int
    ) -> None:
        """Count the rows by block and step.

        Args:
            scores: shape (rows,).
            positive: shape (rows,), bool.
            block: number of each row's block, shape (rows,), below ``count``.
            count: number of blocks.
        """
        distinct, step = np.unique(-scores, return_inverse=True)
        if len(distinct) > MOST_STEPS:
            # Steps of about equal numbers of rows; equal scores stay on one step.
            reached = np.cumsum(np.bincount(step)) - 1
            step = (reached * MOST_STEPS // len(scores))[step]
        steps = int(step.max(initial=0)) + 1
        cells = block * steps + step
        self._positive, self._all = (
            np.bincount(cells, weight, count * steps).reshape(count, steps)
            for weight in (positive.astype(np.float64), np.ones(len(scores)))
        )

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum of precision over gains in recall, shape (resamples,).

        It is NaN without positive rows. With more than MOST_STEPS distinct scores, neighbours
        share a step.
        """
        positive, everything = weights @ self._positive, weights @ self._all
        found, seen = np.cumsum(positive, axis=1), np.cumsum(everything, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(seen > 0, found / seen, 0.0)
            return np.asarray((precision * positive).sum(axis=1) / found[:, -1])
