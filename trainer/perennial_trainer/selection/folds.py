"""The folds of cross-validation: rows to train on, rows to validate on."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit, train_test_split

from perennial_contracts.wire.modelcard import TaskName

FOLDS = 3
Folds = list[tuple[np.ndarray, np.ndarray]]
Order = Literal["TimeOrdered", "Shuffled"]


def split_folds(
    labels: np.ndarray,
    seed: int,
    order: Order = "TimeOrdered",
    task: TaskName = "Classification",
    fresh: int | None = None,
) -> tuple[Folds, Order]:
    """Return folds and their order.

    TimeOrdered: validation rows come after the rows to train on. Shuffled: drawn at random, with
    equal shares of the classes; these replace the former if fewer than two of them are usable,
    because a part has only one class.

    Args:
        labels: shape (rows,): int64, texts or, for a regression, float64.
        seed: seed of the draw.
        order: the order to use.
        task: classification or regression.
        fresh: if given, validation rows are among this many of the latest, at least FOLDS; with
            fewer than two usable folds of that sort there are none.
    """

    def usable(folds: Iterable[tuple[np.ndarray, np.ndarray]]) -> Folds:
        return [
            (train, test)
            for train, test in folds
            if task == "Regression"
            or (len(np.unique(labels[train])) > 1 and len(np.unique(labels[test])) > 1)
        ]

    if len(labels) <= FOLDS:
        return [], order
    if order == "TimeOrdered":
        usual = len(labels) // (FOLDS + 1)
        size = usual if fresh is None else min(usual, fresh // FOLDS)
        in_time = usable(TimeSeriesSplit(FOLDS, test_size=size).split(labels))
        if len(in_time) > 1:
            return in_time, "TimeOrdered"
        if fresh is not None:
            return [], "TimeOrdered"
    return usable(_draw(labels, seed, task)), "Shuffled"


def _draw(labels: np.ndarray, seed: int, task: TaskName) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows = np.arange(len(labels))
    stratified = (
        task == "Classification" and np.unique(labels, return_counts=True)[1].max() >= FOLDS
    )
    folds = (StratifiedKFold if stratified else KFold)(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class that occurs once can be in one fold only.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        yield from folds.split(rows, labels)


def hold_out(
    labels: np.ndarray, share: float, seed: int, order: Order, task: TaskName
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the rows to train on, and of the rows to judge on.

    Args:
        labels: shape (rows,).
        share: share of the rows to judge on.
        seed: seed of the draw.
        order: TimeOrdered takes the last rows, Shuffled draws, with equal shares of the classes.
        task: classification or regression.
    """
    cut = round(len(labels) * (1 - share))
    rows = np.arange(len(labels))
    if order == "TimeOrdered":
        return rows[:cut], rows[cut:]
    often = task == "Classification" and np.unique(labels, return_counts=True)[1].min() > 1
    learnt, judged = train_test_split(
        rows, test_size=share, random_state=seed, stratify=labels if often else None
    )
    return np.sort(learnt), np.sort(judged)
