"""Sample requests: they fit the model, and have typical values."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.wire.profile import Distribution, Profile, fit_categories, fit_numbers
from perennial_runtime.protocol.perennial.rows import RowCodec
from perennial_runtime.protocol.v2.codec import V2Codec
from perennial_runtime.samples import sample_row, sample_tensor
from perennial_runtime.signature import DTYPES, TensorSpec


def usual(datatype: str, seen: Distribution):
    spec = TensorSpec(seen.name, datatype, (-1, 1))
    return sample_row([spec], Profile(rows=1, features=[seen]))[seen.name]


@given(st.lists(st.integers(-1000, 1000), min_size=1))
def test_a_number_occurs_in_the_data_near_its_median(values):
    found = usual("FP64", fit_numbers("x", np.array(values, float)))
    assert found in values
    assert np.quantile(values, 0.3, method="lower") <= found
    assert found <= np.quantile(values, 0.7, method="higher")


@pytest.mark.parametrize(
    ("datatype", "values", "expected"),
    [
        ("BYTES", ["b", "a", "a", ""], "a"),
        ("BOOL", ["True", "True", "False"], True),
        ("BOOL", ["False"], False),
        ("INT64", ["7", "7", "8"], 7),
        ("INT8", ["1000"], 127),
        ("UINT8", ["-1"], 0),
        ("INT32", ["seven"], 0),
        ("BYTES", [], ""),
    ],
)
def test_a_category_is_the_most_frequent_one(datatype, values, expected):
    found = usual(datatype, fit_categories("x", values))
    assert (type(found), found) == (type(expected), expected)


def test_a_number_without_any_value_is_zero():
    assert usual("FP32", fit_numbers("x", np.array([np.nan]))) == 0


@pytest.mark.parametrize("datatype", DTYPES)
def test_the_codecs_read_samples(datatype):
    spec = TensorSpec("x", datatype, (-1, 1))
    codec = RowCodec("m", "0", [spec], [], None)
    rows = codec.decode(b'{"instances": [%s]}' % orjson.dumps(sample_row([spec], None)))
    assert (rows.count, rows.feeds["x"].shape) == (1, (1, 1))
    cube = TensorSpec("x", datatype, (-1, 2, 3))
    request = orjson.dumps({"inputs": [sample_tensor(cube)]})
    feeds = V2Codec("m", "0", [cube], []).decode(request).feeds
    assert feeds["x"].shape == (1, 2, 3)
