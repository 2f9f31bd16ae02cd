"""What the order of the scores tells, block by block."""

import numpy as np

MOST_STEPS = 1000
"""Steps of the curve of precision over recall that resamples are measured on."""


def pairs(scores: np.ndarray, positive: np.ndarray, block: np.ndarray, many: int) -> np.ndarray:
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


class Ranking:
    """Positive and negative rows by score, from the highest to the lowest."""

    def __init__(
        self, scores: np.ndarray, positive: np.ndarray, block: np.ndarray, many: int
    ) -> None:
        """Counts rows by block and step.

        Args:
            scores: shape (rows,).
            positive: shape (rows,), bool.
            block: shape (rows,), the number of each row's block, below ``many``.
            many: how many blocks there are.
        """
        distinct, place = np.unique(-scores, return_inverse=True)
        if len(distinct) > MOST_STEPS:
            # Steps of about equal numbers of rows; equal scores stay on one step.
            reached = np.cumsum(np.bincount(place)) - 1
            place = (reached * MOST_STEPS // len(scores))[place]
        steps = int(place.max(initial=0)) + 1
        cells = block * steps + place
        self._positive, self._all = (
            np.bincount(cells, weight, many * steps).reshape(many, steps)
            for weight in (positive.astype(np.float64), np.ones(len(scores)))
        )

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """Precision summed over the gains in recall; shape (resamples,), NaN without positives.

        With more than MOST_STEPS distinct scores, neighbours share a step.
        """
        positive, everything = weights @ self._positive, weights @ self._all
        found, seen = np.cumsum(positive, axis=1), np.cumsum(everything, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(seen > 0, found / seen, 0.0)
            return np.asarray((precision * positive).sum(axis=1) / found[:, -1])
