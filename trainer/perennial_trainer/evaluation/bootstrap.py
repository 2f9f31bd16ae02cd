"""Blocks of rows, and resamples of them: a resample is a weight for each block.

Rows that come together are alike, so whole contiguous blocks are drawn (Kuensch 1989).
"""

import numpy as np


def cut_blocks(rows: int, most: int) -> np.ndarray:
    """The block of each row: contiguous, of nearly equal size, at most ``most`` of them."""
    many = max(1, min(rows, most))
    return np.asarray(np.arange(rows) * many // max(rows, 1), np.int64)


def resample(
    rows: int, most_blocks: int, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The block of each row, shape (rows,), and the weights of the blocks, as ``draw`` has them."""
    blocks = cut_blocks(rows, most_blocks)
    return blocks, draw(int(blocks.max(initial=0)) + 1, resamples, seed)


def draw(blocks: int, resamples: int, seed: int) -> np.ndarray:
    """How often each block is drawn: shape (resamples, blocks), int64, rows sum to ``blocks``."""
    random = np.random.default_rng(seed)
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), resamples)
