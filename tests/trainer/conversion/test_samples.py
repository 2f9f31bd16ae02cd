"""Sample rows in the form of the model's inputs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.conversion import samples
from perennial_trainer.conversion.converted import Input


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_lists_of_a_table_become_tensors_nested_or_flat(
    rows: int, height: int, width: int, flat: bool
) -> None:
    tensor = np.arange(rows * height * width, dtype=np.float32).reshape(rows, height, width)
    column = np.empty(rows, object)
    for place, row in enumerate(tensor):
        column[place] = row.reshape(-1).tolist() if flat else row.tolist()
    one = Input("x", "FP32", (-1, height, width))
    np.testing.assert_array_equal(samples._fit(one, {"x": column}), tensor)
