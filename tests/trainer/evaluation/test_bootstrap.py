"""Blocks of the bootstrap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.evaluation.bootstrap import cut_blocks


@given(rows=st.integers(1, 5000), most=st.integers(1, 200))
def test_blocks_are_contiguous_and_of_nearly_equal_size(rows, most):
    block = cut_blocks(rows, most)
    sizes = np.bincount(block)
    assert (np.diff(block) >= 0).all()
    assert len(sizes) == min(rows, most)
    assert sizes.max() - sizes.min() <= 1
