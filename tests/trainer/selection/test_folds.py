"""The folds of cross-validation, and the held-out rows of fit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.selection.folds import hold_out, split_folds


@given(st.integers(8, 300), st.integers(0, 2**16))
def test_validation_rows_come_after_training_rows(rows, seed):
    labels = np.random.default_rng(seed).integers(0, 2, rows)
    folds, order = split_folds(labels, seed)
    for train, test in folds:
        assert not set(train) & set(test)
        assert len(set(labels[train])) == len(set(labels[test])) == 2
        if order == "TimeOrdered":
            assert train.max() < test.min()


def test_rows_sorted_by_label_are_shuffled_and_the_order_is_reported():
    folds, order = split_folds(np.repeat([0, 1], 100), 0)
    assert order == "Shuffled"
    assert len(folds) == 3


@given(st.integers(12, 200), st.integers(0, 2**16))
def test_shuffled_folds_have_equal_shares_of_the_classes(rows, seed):
    labels = np.arange(rows) % 3
    folds, order = split_folds(labels, seed, "Shuffled")
    assert order == "Shuffled"
    for train, test in folds:
        assert not set(train) & set(test)
        counts = np.bincount(labels[test])
        assert counts.max() - counts.min() <= 1


def test_held_out_rows_are_the_last_ones_or_drawn_from_every_class():
    labels = np.repeat([0, 1], 50)
    learnt, judged = hold_out(labels, 0.2, 0, "TimeOrdered", "Classification")
    assert judged.tolist() == list(range(80, 100))
    learnt, judged = hold_out(labels, 0.2, 0, "Shuffled", "Classification")
    assert sorted([*learnt, *judged]) == list(range(100))
    assert np.bincount(labels[judged]).tolist() == [10, 10]


@given(st.integers(8, 300), st.integers(3, 400), st.integers(0, 2**16))
def test_no_fold_validates_on_rows_that_the_champion_has_learned_from(rows, fresh, seed):
    labels = np.random.default_rng(seed).integers(0, 2, rows)
    folds, order = split_folds(labels, seed, fresh=fresh)
    assert order == "TimeOrdered"
    for learnt, judged in folds:
        assert judged.min() >= rows - fresh
        assert learnt.max() < judged.min()
