"""Generated rows, for the model to label."""

import numpy as np

from .samples import Feeds, count

COPIES = 3
"""Number of generated rows for each given one."""
MOST_ROWS = 5000
MOST_VALUES = 40_000_000
"""Limit of the values in all rows, so that there are fewer large rows, such as photos."""
MIX = 0.3
NOISE = 0.2


def most_rows(feeds: Feeds, copies: int = COPIES) -> int:
    """Return the number of given rows to start from."""
    values = sum(array[:1].size for array in feeds.values())
    return min(MOST_ROWS, MOST_VALUES // (max(values, 1) * (copies + 1)))


def mixed(feeds: Feeds, seed: int, copies: int = COPIES) -> dict[str, np.ndarray]:
    """Return the rows, and generated rows between each and another random row.

    Floats are mixed (mixup, Zhang et al. 2018; Beta(MIX, MIX)), with noise of a fifth of their
    deviation over the rows. Other values, such as texts and whole numbers, come from either row.

    Returns:
        The rows, then ``copies`` times as many generated ones.
    """
    random = np.random.default_rng(seed)
    rows = count(feeds)
    parts = {name: [values] for name, values in feeds.items()}
    for _ in range(copies):
        other = random.permutation(rows)
        share = random.beta(MIX, MIX, rows)
        for name, values in feeds.items():
            form = (-1,) + (1,) * (values.ndim - 1)
            if values.dtype.kind == "f":
                weight = share.reshape(form)
                noise = random.normal(size=values.shape) * NOISE
                with np.errstate(invalid="ignore"):
                    spread = np.nan_to_num(np.nanstd(_filled(values), axis=0))
                    made = values * weight + values[other] * (1 - weight) + noise * spread
                parts[name].append(made.astype(values.dtype))
            else:
                mine = (random.random(rows) < 0.5).reshape(form)
                parts[name].append(np.where(mine, values, values[other]))
    return {name: np.concatenate(pieces) for name, pieces in parts.items()}


def _filled(values: np.ndarray) -> np.ndarray:
    """Return 0 in columns that are always missing, which have no deviation."""
    return np.where(np.isnan(values).all(axis=0), 0, values)
