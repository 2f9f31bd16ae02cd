"""The OpenAPI document is complete, and agrees with the codecs."""

import json

import jsonschema_rs
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_runtime.classes import Classes
from perennial_runtime.description import ModelDescription
from perennial_runtime.errors import BadRequestError
from perennial_runtime.openapi import SERVER_OPERATIONS, V2_OPERATIONS, openapi
from perennial_runtime.protocol.perennial.rows import RowCodec
from perennial_runtime.signature import DTYPES, TensorSpec

OUTPUTS = [TensorSpec("label", "INT64", (-1,)), TensorSpec("probabilities", "FP32", (-1, 2))]
CUBE = [TensorSpec("cube", "FP32", (-1, 2, 2)), TensorSpec("words", "BYTES", (-1,))]


def column(name: str, datatype: str = "FP32") -> TensorSpec:
    return TensorSpec(name, datatype, (-1, 1))


def document(inputs, **more):
    facts = {"name": "m", "version": "0", "inputs": inputs, "outputs": OUTPUTS, **more}
    return orjson.loads(openapi(ModelDescription(**facts)))


def validator(document, schema):
    """Return a validator of values against one of the document's schemas."""
    reference = f"#/components/schemas/{schema}"
    return jsonschema_rs.Draft202012Validator(
        {"$ref": reference, "components": document["components"]}
    )


def references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("inputs", [[column("a"), column("b", "BYTES")], CUBE, CUBE[:1]])
def test_the_document_contains_exactly_the_components_in_use(inputs):
    found = document(inputs)
    targets = set(references(found))
    assert targets == {
        f"#/components/{kind}/{name}"
        for kind, entries in found["components"].items()
        for name in entries
    }


@pytest.mark.parametrize("inputs", [[column("a"), column("b", "BYTES")], CUBE, CUBE[:1]])
def test_schemas_are_valid_and_their_examples_fit(inputs):
    found = document(inputs)
    for name in found["components"]["schemas"]:
        validator(found, name)
    examples = 0
    for operations in found["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content and "example" in content:
                name = content["schema"]["$ref"].rpartition("/")[2]
                validator(found, name).validate(content["example"])
                examples += 1
    assert examples >= 3


def test_a_model_has_only_the_operations_that_suit_it():
    rows = document([column("a")], classes=Classes(("0", "1"), None))["paths"]
    tensors = document(CUBE)["paths"]
    only = {path.replace("/versions/{version}", "") for path in rows.keys() - tensors.keys()}
    assert only == {"/v2/models/m/predict", "/v2/models/m/feedback", "/v1/models/m:classify"}
    assert "/v2/models/m/profile" not in rows
    model = ModelDescription(name="m", version="0", inputs=[column("a")], outputs=OUTPUTS)
    without_v1 = orjson.loads(openapi(model, (*SERVER_OPERATIONS, *V2_OPERATIONS)))
    assert not [path for path in without_v1["paths"] if path.startswith("/v1")]


def test_a_name_may_look_like_a_reference_or_a_parameter():
    inputs = [column("$ref", "BYTES"), column("{version}")]
    found = document(inputs, name="{x}/$ref")
    assert "/v2/models/%7Bx%7D%2F%24ref/infer" in found["paths"]
    validator(found, "Row").validate({"$ref": "", "{version}": 1})


@pytest.mark.parametrize("datatype", DTYPES)
def test_schema_and_codec_accept_the_same_values_of_a_row(datatype):
    features = [column("x", datatype)]
    codec = RowCodec("m", "0", features, [], None)
    schema = validator(document(features), "PredictRequest")
    limits = np.iinfo(datatype.lower() if "INT" in datatype else "int64")
    edges = [int(limits.min) - 1, int(limits.min), int(limits.max), int(limits.max) + 1]
    edges += [65519.9, 65520.0, 3.4028235e38, 3.5e38, 150.0, 1.5, -(2.0**63)]
    values = st.one_of(
        st.sampled_from(edges),
        st.none() | st.booleans() | st.text() | st.lists(st.none(), max_size=1),
        st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    )

    @given(values)
    def agree(value):
        body = json.dumps({"instances": [{"x": value}]}).encode()
        assert schema.is_valid(json.loads(body)) == is_taken(codec, body)

    agree()


def is_taken(codec, body):
    try:
        codec.decode(body)
    except BadRequestError:
        return False
    return True
