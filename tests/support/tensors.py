"""Strategies for tensors of every datatype."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from perennial_runtime.signature import DTYPES

DATATYPES = tuple(sorted(DTYPES))

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Settings of property tests for a busy machine."""


def elements(datatype: str) -> st.SearchStrategy:
    """Return a strategy for values of one datatype."""
    if datatype == "BOOL":
        return st.booleans()
    if datatype == "BYTES":
        return st.text(max_size=10)
    if datatype.startswith("FP"):
        return st.floats(width=int(datatype[2:]), allow_infinity=False)
    limits = np.iinfo(DTYPES[datatype])
    return st.integers(int(limits.min), int(limits.max))


@st.composite
def arrays(draw, datatypes=DATATYPES):
    """Draw a datatype and an array of it; extents may be zero."""
    datatype = draw(st.sampled_from(datatypes))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    size = int(np.prod(shape))
    data = draw(st.lists(elements(datatype), min_size=size, max_size=size))
    array = np.empty(size, dtype=DTYPES[datatype])
    array[:] = data
    return datatype, array.reshape(shape)


def mutations(message: bytes) -> st.SearchStrategy:
    """Return a strategy for the message with bytes changed, removed or doubled."""

    def mutate(edits):
        data = bytearray(message)
        for place, kind, value in edits:
            at = place % (len(data) or 1)
            if kind == "set" and data:
                data[at] = value
            elif kind == "cut":
                del data[at : at + value % 8]
            else:
                data[at:at] = data[at : at + value % 8] or bytes([value])
        return bytes(data)

    edit = st.tuples(
        st.integers(0, 2**16), st.sampled_from(["set", "cut", "double"]), st.integers(0, 255)
    )
    return st.lists(edit, min_size=1, max_size=4).map(mutate)
