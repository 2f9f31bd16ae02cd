"""Labels that clients sent back as text."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.data.labels import clean_numbers, find_learnable


@given(st.lists(st.text(max_size=6) | st.floats().map(str) | st.integers().map(str)))
def test_every_learnable_text_is_a_finite_number(texts):
    labels = np.array(texts, object)
    kept = labels[find_learnable(labels, None, "Regression")]
    numbers = clean_numbers(pd.Series(kept, dtype=object), "late", "rows")
    assert np.isfinite(numbers).all()
