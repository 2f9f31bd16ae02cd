"""The split into training and held-out rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.api.retrainjob import TrainingData
from perennial_trainer.data.rows import CapturedRows, LabelledRows
from perennial_trainer.data.split import replay, split


def numbers(count: int, start: int = 0) -> LabelledRows:
    values = np.arange(start, start + count, dtype=np.float32)
    return LabelledRows(pd.DataFrame({"x": values}), np.arange(count) % 2)


@given(
    pool=st.integers(1, 500),
    captured=st.integers(60, 500),
    holdout=st.integers(50, 500),
    replayed=st.integers(0, 900),
    seed=st.integers(0, 100),
)
def test_no_held_out_row_is_a_training_row(pool, captured, holdout, replayed, seed):
    data = TrainingData(label="late", holdoutPermille=holdout, replayPermille=replayed)
    base, found = numbers(pool + 1), numbers(captured, 10_000)
    got = split(CapturedRows(found, 0), base, data, seed)
    assert got.reference is not None
    learnt, recent, reference = (
        set(part.frame["x"]) for part in (got.train, got.recent, got.reference)
    )
    assert not learnt & (recent | reference)
    assert len(learnt) == len(got.train)
    assert max(learnt & set(found.frame["x"])) < min(recent)
    assert len(recent) == max(1, round(captured * holdout / 1000))
    share = len(learnt & set(base.frame["x"])) / len(learnt)
    assert share <= replayed / 1000 + 1 / len(learnt)


@given(pool=st.integers(0, 1000), training=st.integers(1, 1000), permille=st.integers(0, 900))
def test_replayed_rows_make_up_their_share(pool, training, permille):
    chosen = replay(pool, training, permille, 0)
    assert len(set(chosen)) == len(chosen) <= pool
    if len(chosen) < pool:
        share = len(chosen) / (len(chosen) + training)
        assert share == pytest.approx(permille / 1000, abs=1 / training)
