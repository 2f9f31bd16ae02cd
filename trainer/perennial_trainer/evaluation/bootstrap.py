"""Block bootstrap: contiguous blocks of rows, and resamples as their weights.

Rows that are close in time are alike, so whole blocks are drawn (Kuensch 1989).
"""

import numpy as np


def cut_blocks(rows: int, most: int) -> np.ndarray:
    """Return the block of each row: at most ``most``, of nearly equal size."""
    count = max(1, min(rows, most))
    return np.asarray(np.arange(rows) * count // max(rows, 1), np.int64)


def resample(
    rows: int, most_blocks: int, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the block of each row, shape (rows,), and the weights in resamples."""
    blocks = cut_blocks(rows, most_blocks)
    return blocks, draw(int(blocks.max(initial=0)) + 1, resamples, seed)


def draw(blocks: int, resamples: int, seed: int) -> np.ndarray:
    """Return the draws of each block: (resamples, blocks), int64, sum ``blocks``."""
    random = np.random.default_rng(seed)
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), resamples)
