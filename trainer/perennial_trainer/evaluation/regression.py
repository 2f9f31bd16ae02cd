"""Metrics of a regressor over all rows, or over many resamples at once."""

import numpy as np

from perennial_contracts.stats.quality import MetricName

QUANTILES: dict[MetricName, float] = {"pinball_10": 0.1, "pinball_90": 0.9}
"""Koenker and Bassett, Regression Quantiles (Econometrica 1978)."""


class RegressionStatistics:
    """Sums of a regressor's errors, block by block."""

    def __init__(self, truth: np.ndarray, predicted: np.ndarray, blocks: np.ndarray) -> None:
        """Sum the errors.

        Args:
            truth: shape (rows,), float64.
            predicted: shape (rows,), float64.
            blocks: number of each row's block, from 0, shape (rows,).
        """
        self._middle = float(truth.mean()) if len(truth) else 0.0
        error, from_middle = predicted - truth, truth - self._middle
        count = int(blocks.max(initial=0)) + 1
        parts = (
            np.ones(len(truth)), np.maximum(-error, 0), np.maximum(error, 0), error**2,
            from_middle, from_middle**2,
        )  # fmt: skip
        self._sums = np.array([np.bincount(blocks, part, count) for part in parts])
        """Shape (6, blocks): number of rows, errors below, errors above, error², and of the truth,
        relative to its mean over all rows, x and x²."""

    @property
    def blocks(self) -> int:
        return len(self._sums[0])

    def value(self, metric: MetricName) -> float:
        """Return the metric over all rows; NaN if it is not defined."""
        return float(self.resampled(metric, np.ones((1, self.blocks)))[0])

    def resampled(self, metric: MetricName, weights: np.ndarray) -> np.ndarray:
        """Return the metric over resamples, shape (resamples,); NaN if undefined.

        The pinball loss weights errors below by the quantile, errors above by the rest. r2 is one
        minus the squared error over the squared error of the resample's own mean.
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
            # r2 is not defined for a truth that is the same in all rows.
            defined = spread > 1e-12 * np.maximum(twice, 1e-300)
            return np.where(defined, 1 - squared / spread, np.nan)
