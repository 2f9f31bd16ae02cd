"""TensorFlow Serving's methods except Predict, and the messages themselves."""

import numpy as np
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st
from support.tensorflow_messages import FIELDS, MESSAGES

from perennial_runtime.classes import Classes
from perennial_runtime.errors import BadRequestError, NotFoundError, RequestError
from perennial_runtime.protocol.shared.protobuf import to_bytes
from perennial_runtime.protocol.shared.tensorflow import State
from perennial_runtime.protocol.tfs_grpc import compile_protos, schema
from perennial_runtime.protocol.tfs_grpc.examples import ClassificationCodec, RegressionCodec
from perennial_runtime.protocol.tfs_grpc.schema import message_class
from perennial_runtime.protocol.tfs_grpc.status import get_model_metadata, get_model_status
from perennial_runtime.signature import TensorSpec

TABLE = (
    TensorSpec("amount", "FP32", (-1, 1)),
    TensorSpec("carrier", "BYTES", (-1, 1)),
    TensorSpec("seats", "INT64", (-1,)),
    TensorSpec("weekend", "BOOL", (-1,)),
)
Y = TensorSpec("y", "FP32", (-1, 1))
classify = ClassificationCodec("m", TABLE, Classes(("early", "late"), 1))
regress = RegressionCodec("m", TABLE, (Y,))


def test_the_descriptors_match_the_protos():
    stored = FileDescriptorSet.FromString(schema.DESCRIPTORS.read_bytes())
    assert stored == compile_protos.compiled()


def test_every_field_and_method_matches_tensorflow_serving():
    files = FileDescriptorSet.FromString(schema.DESCRIPTORS.read_bytes()).file
    checked = 0

    def check(prefix, message):
        nonlocal checked
        name = f"{prefix}.{message.name}"
        for field in message.field:
            assert FIELDS[name][field.name] == [field.number, field.type, field.label], name
            checked += 1
        for nested in message.nested_type:
            check(name, nested)
        for enum in message.enum_type:
            check_enum(name, enum)

    def check_enum(prefix, enum):
        for value in enum.value:
            assert FIELDS[f"{prefix}.{enum.name}"][value.name] == [value.number]

    for file in files:
        for message in file.message_type:
            check(file.package, message)
        for enum in file.enum_type:
            check_enum(file.package, enum)
        for service in file.service:
            for method in service.method:
                name = f"{file.package}.{service.name}"
                assert name in schema.SERVICES
                assert FIELDS[name][method.name] == [method.input_type, method.output_type]
                checked += 1
    assert checked > 70


@pytest.mark.parametrize(("codec", "name"), [(classify, "classify"), (regress, "regress")])
def test_examples_are_read_by_feature(codec, name):
    request = codec.decode(MESSAGES[name])
    np.testing.assert_array_equal(request.feeds["amount"], [[1.5], [np.nan]])
    assert request.feeds["carrier"].tolist() == [["AA"], ["né"]]
    assert request.feeds["seats"].tolist() == [3, 4]
    assert request.feeds["weekend"].tolist() == [True, False]
    assert request.count == 2


@pytest.mark.parametrize(("codec", "name"), [(classify, "classify"), (regress, "regress")])
def test_the_context_applies_to_every_example(codec, name):
    feeds = codec.decode(MESSAGES[f"{name}_context"]).feeds
    assert feeds["carrier"].tolist() == [["AA"], ["AA"]]
    assert feeds["weekend"].tolist() == [True, True]
    np.testing.assert_array_equal(feeds["amount"], [[1.5], [np.nan]])


def test_responses_equal_those_of_tensorflow_serving():
    request = classify.decode(MESSAGES["classify"])
    assert list(request.outputs) == ["probabilities"]
    scores = np.array([[0.25, 0.75], [1, 0]], np.float32)
    answered("ClassificationResponse", classify.encode(request, [scores]), "classified")
    request = regress.decode(MESSAGES["regress"])
    assert list(request.outputs) == ["y"]
    values = np.array([[0.5], [-2]], np.float32)
    answered("RegressionResponse", regress.encode(request, [values]), "regressed")
    status = get_model_status(MESSAGES["get_model_status"], "m", State.AVAILABLE)
    answered("GetModelStatusResponse", status, "model_status")


def answered(kind, message, expected):
    parsed = message_class(f"tensorflow.serving.{kind}")
    assert parsed.FromString(message) == parsed.FromString(MESSAGES[expected])


def test_the_metadata_contain_the_signature():
    message = get_model_metadata(MESSAGES["get_model_metadata"], "m", TABLE, (Y,))
    response = message_class("tensorflow.serving.GetModelMetadataResponse").FromString(message)
    assert response.model_spec.name == "m"
    packed = response.metadata["signature_def"]
    assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    found = message_class("tensorflow.serving.SignatureDefMap").FromString(packed.value)
    signature = found.signature_def["serving_default"]
    assert signature.method_name == "tensorflow/serving/predict"
    assert set(signature.inputs) == {spec.name for spec in TABLE}
    assert signature.inputs["amount"].dtype == 1
    assert [dim.size for dim in signature.inputs["amount"].tensor_shape.dim] == [-1, 1]
    assert signature.outputs["y"].name == "y"


def test_other_metadata_and_models_are_rejected():
    request = message_class("tensorflow.serving.GetModelMetadataRequest")
    for fields in ([], ["other"]):
        message = request(model_spec={"name": "m"}, metadata_field=fields)
        with pytest.raises(BadRequestError, match="metadata_field: expected 'signature_def'"):
            get_model_metadata(to_bytes(message), "m", TABLE, (Y,))
    with pytest.raises(NotFoundError, match=r"model_spec.name: expected 'other', got 'm'"):
        get_model_metadata(MESSAGES["get_model_metadata"], "other", TABLE, (Y,))
    with pytest.raises(NotFoundError, match=r"model_spec.name: expected 'other', got 'm'"):
        get_model_status(MESSAGES["get_model_status"], "other", State.LOADING)


def test_a_model_that_does_not_fit_names_the_alternative():
    with pytest.raises(BadRequestError, match=r"the model 'm' is no classifier.* Fix: use predict"):
        ClassificationCodec("m", TABLE, None).decode(MESSAGES["classify"])
    with pytest.raises(BadRequestError, match="does not return one number for each row"):
        RegressionCodec("m", TABLE, (Y, Y)).decode(MESSAGES["regress"])
    image = TensorSpec("image", "FP32", (-1, 3, 8, 8))
    with pytest.raises(BadRequestError, match=r"got 'image' \[-1, 3, 8, 8\]. Fix: use predict"):
        RegressionCodec("m", (image,), (Y,)).decode(MESSAGES["regress"])


def examples(*rows, context=None):
    request = message_class("tensorflow.serving.ClassificationRequest")(model_spec={"name": "m"})
    kind = "example_list" if context is None else "example_list_with_context"
    listed = getattr(request.input, kind)
    listed.SetInParent()
    for row, example in [(row, listed.examples.add()) for row in rows] + (
        [(context, listed.context)] if context is not None else []
    ):
        for name, (field, values) in row.items():
            getattr(example.features.feature[name], field).value.extend(values)
    return to_bytes(request)


GOOD = {"seats": ("int64_list", [3]), "weekend": ("int64_list", [1])}


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (examples(), "input: expected one example or more, got none"),
        (examples({"amout": ("float_list", [1])}), "Did you mean 'amount'?"),
        (examples(GOOD, {**GOOD, "amount": ("float_list", [1, 2])}), "row 1: feature 'amount': "
                                                                     "expected a number, got [1.0"),
        (examples({**GOOD, "seats": ("float_list", [1.5])}), "expected a whole number, got 1.5"),
        (examples({**GOOD, "weekend": ("int64_list", [2])}), "expected a boolean, got 2"),
        (examples({**GOOD, "carrier": ("bytes_list", [b"\xff"])}), "row 0: feature 'carrier': exp"),
        (examples(GOOD, context={"carrier": ("bytes_list", [b"\xff"])}), "context: feature 'carr"),
        (examples(GOOD, context={"seats": ("int64_list", [1])}), "got 'seats', which row 0 has to"),
        (b"\xff\xff", "expected tensorflow.serving.ClassificationRequest, got 2 bytes"),
    ],
)  # fmt: skip
def test_an_invalid_request_reports_the_expected_value(message, problem):
    with pytest.raises(BadRequestError) as caught:
        classify.decode(message)
    assert problem in str(caught.value)


def test_an_empty_list_is_a_missing_value():
    feeds = classify.decode(examples({**GOOD, "amount": ("float_list", [])})).feeds
    assert np.isnan(feeds["amount"]).tolist() == [[True]]


METHODS = {
    "classify": classify.decode,
    "classify_context": classify.decode,
    "regress": regress.decode,
    "get_model_metadata": lambda message: get_model_metadata(message, "m", TABLE, (Y,)),
    "get_model_status": lambda message: get_model_status(message, "m", State.END),
}


@given(
    st.sampled_from(sorted(METHODS)),
    st.lists(st.tuples(st.integers(0, 150), st.binary(max_size=2))),
)
def test_a_garbled_message_is_either_read_or_rejected(name, changes):
    message = MESSAGES[name]
    for index, data in changes:
        message = message[:index] + data + message[index + 1 :]
    try:
        METHODS[name](message)
    except RequestError as error:
        assert str(error)  # noqa: PT017
