"""The memo of JSON requests: the same results as without it."""

import json

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.tensors import arrays, mutations, unhurried

from perennial_runtime.errors import BadRequestError
from perennial_runtime.protocol.v2.codec import V2Codec
from perennial_runtime.protocol.v2.json_memo import _cut
from perennial_runtime.signature import TensorSpec

X = TensorSpec("X", "FP32", (-1, 2))
S = TensorSpec("S", "BYTES", (-1, 1))
B = TensorSpec("B", "BOOL", (-1,))
I8 = TensorSpec("I8", "INT8", (1,))


def codec(*inputs: TensorSpec) -> V2Codec:
    return V2Codec("m", "v", inputs, inputs)


def tensor(spec: TensorSpec, data, shape):
    return {"name": spec.name, "datatype": spec.datatype, "shape": shape, "data": data}


def outcome(model: V2Codec, body: bytes) -> str:
    """Return the request in a body, or the error."""
    try:
        request = model.decode(body)
    except BadRequestError as error:
        return str(error)
    feeds = {
        name: (array.dtype, array.shape, array.tolist()) for name, array in request.feeds.items()
    }
    return repr((feeds, request.outputs, request.id, request.forms))


def is_known(model: V2Codec, body: bytes) -> bool:
    return model._memo.recall(body) is not None


FLAT = json.dumps(
    {
        "parameters": {"binary_data_output": False},
        "inputs": [
            tensor(X, [1.5, -2], [1, 2]),
            tensor(S, ["a ]} b"], [1, 1]),
            tensor(B, [True, False], [2]),
            tensor(I8, [-128], [1]),
        ],
        "outputs": [{"name": "X", "parameters": {"classification": 2}}],
    }
).encode()
NESTED = orjson.dumps({"inputs": [tensor(X, [[1, None]], [1, 2]), tensor(S, [["ä"]], [1, 1])]})
MODELS = {FLAT: codec(X, S, B, I8), NESTED: codec(X, S)}


@unhurried
@given(st.sampled_from(sorted(MODELS)).flatmap(lambda b: st.tuples(st.just(b), mutations(b))))
@example((FLAT, FLAT.replace(b"1.5", b"1.5, 3")))
@example((FLAT, FLAT.replace(b"-2", b"true")))
@example((FLAT, FLAT.replace(b"-2", b"1e39")))
@example((FLAT, FLAT.replace(b"-128", b"-129")))
@example((NESTED, NESTED.replace(b"null", b"2,3")))
@example((NESTED, NESTED.replace(b"null", b"[2]")))
@example((NESTED, NESTED.replace("ä".encode(), b"\xff")))
def test_a_body_has_the_same_result_with_and_without_a_memo(case):
    valid, body = case
    remembering = MODELS[valid]
    for _ in range(3):
        remembering.decode(valid.replace(b"a ]} b", b"a"))
    blank = codec(X, S, B, I8) if valid == FLAT else codec(X, S)
    assert outcome(remembering, body) == outcome(blank, body)


@unhurried
@given(arrays(), st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_the_memo_does_not_remember_data(case, is_nested, separators):
    datatype, array = case
    spec = TensorSpec("X", datatype, (-1,) * array.ndim)
    model = codec(spec)
    for values in (array, array[::-1] if array.ndim else array, array):
        data = (values if is_nested and array.ndim else values.reshape(-1)).tolist()
        text = json.dumps(
            {"inputs": [tensor(spec, data, list(array.shape))]}, separators=separators
        )
        body = text.replace("NaN", "null").encode()
        np.testing.assert_array_equal(model.decode(body).feeds["X"], values)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("is_nested", [True, False])
def test_a_repeated_form_is_remembered(is_nested, separators):
    model = codec(X)
    for turn in range(4):
        values = [1.5, -turn]
        data = [values] if is_nested else values
        body = json.dumps({"inputs": [tensor(X, data, [1, 2])]}, separators=separators).encode()
        assert is_known(model, body) is (turn >= 2)
        np.testing.assert_array_equal(model.decode(body).feeds["X"], [values])


@pytest.mark.parametrize(
    "text",
    [
        # Of two members of one name, the last one counts.
        '{"inputs":[%s],"inputs":[%s]}',
        '{"inputs":[{"data":[0,73856093],"name":"X","datatype":"FP32","shape":[1,2],"data":[%s]}]}',
        '{"id":"a","inputs":[%s]}',
    ],
)
def test_an_ambiguous_form_is_not_remembered(text):
    model = codec(X)
    inner = json.dumps(tensor(X, [0, 73856093], [1, 2]), separators=(",", ":"))
    body = (text % (("5,6",) if '"data":[%s]' in text else (inner,) * text.count("%s"))).encode()
    for _ in range(3):
        model.decode(body)
        assert not is_known(model, body)


def test_a_body_of_openings_only_is_cut_at_most_once_for_each_input():
    fixed, texts = _cut(b'"data":[' * 100_000, b'"data":[', 3)
    assert (len(fixed), len(texts)) == (4, 3)
