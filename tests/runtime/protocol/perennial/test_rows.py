"""Rows of a table in JSON, without a server."""

import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_runtime.errors import BadRequestError
from perennial_runtime.protocol.perennial.rows import RowCodec
from perennial_runtime.signature import TensorSpec

FEATURES = (
    TensorSpec("amount", "FP32", (-1, 1)),
    TensorSpec("carrier", "BYTES", (-1, 1)),
    TensorSpec("seats", "INT8", (-1,)),
    TensorSpec("delay", "FP32", (-1, 1)),
)
ROW = {"amount": 2.5, "carrier": "AA", "seats": 3, "delay": -1}


def codec(*features: TensorSpec) -> RowCodec:
    outputs = [TensorSpec("y", "FP32", (-1, 1))]
    return RowCodec("m", "v", features or FEATURES, outputs, None)


def test_rows_become_a_column_for_each_feature():
    request = codec().decode(orjson.dumps({"instances": [ROW, {"seats": -3, "delay": 7}]}))
    feeds = request.feeds
    assert request.count == 2
    assert request.outputs == ("y",)
    np.testing.assert_array_equal(feeds["amount"], np.array([[2.5], [np.nan]], np.float32))
    np.testing.assert_array_equal(feeds["carrier"], np.array([["AA"], [""]], object))
    np.testing.assert_array_equal(feeds["seats"], np.array([3, -3], np.int8))
    np.testing.assert_array_equal(feeds["delay"], np.array([[-1], [7]], np.float32))
    for feature in FEATURES:
        assert feeds[feature.name].dtype == feature.dtype
        assert feeds[feature.name].flags.c_contiguous


@given(
    st.lists(
        st.fixed_dictionaries(
            {"seats": st.integers(-128, 127)},
            optional={
                "amount": st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False),
                "delay": st.none() | st.integers(-1000, 1000),
                "carrier": st.none() | st.text(),
            },
        ),
        min_size=1,
        max_size=5,
    )
)
def test_every_value_is_at_its_row_and_feature(rows):
    feeds = codec().decode(orjson.dumps(rows)).feeds
    for index, row in enumerate(rows):
        for feature in FEATURES:
            value = row.get(feature.name)
            if value is None:
                value = "" if feature.datatype == "BYTES" else np.nan
            np.testing.assert_equal(feeds[feature.name].reshape(-1).tolist()[index], value)


@pytest.mark.parametrize("body", [{"instances": [ROW]}, [ROW], ROW])
def test_rows_may_be_in_an_envelope_or_bare_or_single(body):
    request = codec().decode(orjson.dumps(body))
    assert request.count == 1
    assert request.feeds["amount"].tolist() == [[2.5]]


def test_a_whole_number_may_be_written_with_a_point():
    feeds = codec().decode(b'[{"seats": 3.0}, {"seats": 4}]').feeds
    assert feeds["seats"].tolist() == [3, 4]
    for value in (b"3.5", b"1e19", b"-1e300"):
        with pytest.raises(BadRequestError, match="feature 'seats': expected a whole number"):
            codec().decode(b'[{"seats": %s}]' % value)


def test_a_feature_may_have_the_name_of_the_envelope():
    named = codec(TensorSpec("instances", "FP32", (-1, 1)))
    for body in ({"instances": 4}, [{"instances": 4}], {"instances": [{"instances": 4}]}):
        request = named.decode(orjson.dumps(body))
        assert (request.count, request.feeds["instances"].tolist()) == (1, [[4.0]])
    with pytest.raises(BadRequestError, match="row 0: expected an object, got 4"):
        named.decode(b'{"instances": [4]}')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "body: expected JSON, got an error"),
        (b"{}", "instances: expected {\"instances\": [{\"feature\": value, ...}, ...]} with one"),
        (b"[]", "got []"),
        (b'{"instances": []}', "got []"),
        (b'{"instances": 3}', "got 3"),
        (b'{"instances": {"amount": 1}}', 'got {"amount":1}'),
        (b'{"inputs": [1]}', "or the rows alone, with features 'amount', 'carrier', 'seats'"),
        (b"7", "got 7"),
        (b"[7]", "row 0: expected an object, got 7"),
        (b'{"amount": 1, "sets": 3}', "got 'sets'. Did you mean 'seats'?"),
        (b'[{"seats": 3}, {"seats": 300}]', "row 1: feature 'seats': expected a whole number "
                                            "within INT8's range, got 300"),
        (b'[{"seats": 3, "amount": 1e39}]', "feature 'amount': expected a number within FP32's"),
        (b'[{"seats": 3, "delay": "1"}]', "row 0: feature 'delay': expected a number, got \"1\""),
        (b'[{"seats": true}]', "feature 'seats': expected a whole number, got true"),
        (b"[{}]", "feature 'seats': expected a whole number, got nothing"),
        (b'{"amount": ' + b"[" * 900 + b"]" * 900 + b"}", "a list that is nested too deeply"),
    ],
)  # fmt: skip
def test_an_invalid_row_reports_the_expected_value(body, message):
    with pytest.raises(BadRequestError) as caught:
        codec().decode(body)
    assert message in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["instances", "amount", "carrier", "seats"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
    | st.binary()
)
def test_any_body_is_either_read_or_rejected(body):
    try:
        codec().decode(body)
    except BadRequestError as error:
        assert str(error)  # noqa: PT017
