"""What a regressor's answers come to, block by block."""

import numpy as np

from perennial_contracts.stats.quality import MetricName

QUANTILES: dict[MetricName, float] = {"pinball_10": 0.1, "pinball_90": 0.9}
"""Koenker and Bassett, Regression Quantiles (Econometrica 1978)."""


class Sums:
    """Sums of errors, which add up over blocks."""

    def __init__(self, truth: np.ndarray, said: np.ndarray, blocks: np.ndarray) -> None:
        """Sums up.

        Args:
            truth: shape (rows,), float64.
            said: shape (rows,), float64.
            blocks: shape (rows,), the number of each row's block, from 0.
        """
        self._middle = float(truth.mean()) if len(truth) else 0.0
        error, from_middle = said - truth, truth - self._middle
        many = int(blocks.max(initial=0)) + 1
        parts = (
            np.ones(len(truth)), np.maximum(-error, 0), np.maximum(error, 0), error**2,
            from_middle, from_middle**2,
        )  # fmt: skip
        self._sums = np.array([np.bincount(blocks, part, many) for part in parts])
        """Shape (6, blocks): rows, what was told too low and too high, error², and of the truth,
        from the middle, x and x²."""

    @property
    def blocks(self) -> int:
        return len(self._sums[0])

    def value(self, metric: MetricName) -> float:
        """The metric over all rows; NaN where it is not defined."""
        return float(self.resampled(metric, np.ones((1, self.blocks)))[0])

    def resampled(self, metric: MetricName, weights: np.ndarray) -> np.ndarray:
        """The metric over resamples, shape (resamples,); NaN where it is not defined.

        The pinball loss is the quantile's share of what was told too low, and the rest's of what
        was told too high. r2 is one minus the squared error over that of the resample's own mean.
        """
        rows, low, high, squared, once, twice = (weights @ self._sums.T).T
        with np.errstate(invalid="ignore", divide="ignore"):
            if metric == "mae":
                return np.asarray((low + high) / rows)
            if metric in QUANTILES:
                quantile = QUANTILES[metric]
                return np.asarray((quantile * low + (1 - quantile) * high) / rows)
            if metric == "rmse":
                return np.asarray(np.sqrt(squared / rows))
            spread = twice - once**2 / rows
            # A truth that is the same in all rows leaves nothing to be told.
            told = spread > 1e-12 * np.maximum(twice, 1e-300)
            return np.where(told, 1 - squared / spread, np.nan)
