"""Strategies for arrays of every element type, for property tests of codecs."""

import numpy as np
from hypothesis import strategies as st

from perennial_runtime.signature import DTYPES


def values(datatype: str) -> st.SearchStrategy:
    """Return a strategy for values of one element type, with NaN and infinities."""
    if datatype == "BOOL":
        return st.booleans()
    if datatype == "BYTES":
        return st.text()
    if datatype.startswith("FP"):
        return st.floats(width=int(datatype[2:]))
    limits = np.iinfo(DTYPES[datatype])
    return st.integers(int(limits.min), int(limits.max))


@st.composite
def tensors(draw, least_extent=0):
    """Draw an element type and an array of it, of rank 0 to 3."""
    datatype = draw(st.sampled_from(sorted(DTYPES)))
    shape = tuple(draw(st.lists(st.integers(least_extent, 4), max_size=3)))
    size = int(np.prod(shape))
    array = np.empty(size, dtype=DTYPES[datatype])
    array[:] = draw(st.lists(values(datatype), min_size=size, max_size=size))
    return datatype, array.reshape(shape)


def any_json(*keys: str) -> st.SearchStrategy:
    """Return a strategy for JSON values, whose objects have some of the keys."""
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=3)
        ),
        max_leaves=12,
    )
