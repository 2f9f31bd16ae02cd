"""Write ``tensorflow_fixtures.json``: messages of TensorFlow Serving's own client.

    pip install tensorflow-cpu tensorflow-serving-api    # in a separate environment
    python tests/support/tensorflow_fixtures.py

The tests need only the file. It has messages as hexadecimal text, and the fields of all messages.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_arrays import ARRAYS
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    input_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
    regression_pb2,
)

MODEL = "m"
DESCRIPTORS = (
    Path(__file__).parents[2]
    / "runtime/perennial_runtime/protocol/tfs_grpc/protos/descriptors.binpb"
)


def predict(**inputs) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    request.model_spec.signature_name = "serving_default"
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def predicted(**outputs) -> predict_pb2.PredictResponse:
    """Return a response of the server: values in the fields of their types."""
    response = predict_pb2.PredictResponse()
    model(response.model_spec)
    for name, value in outputs.items():
        response.outputs[name].CopyFrom(typed(value))
    return response


def typed(array: np.ndarray):
    """Return a TensorProto without tensor_content."""
    dtype = tf.as_dtype(np.bytes_ if array.dtype == object else array.dtype)
    values = array.reshape(-1)
    proto = tf.make_tensor_proto(values[0], dtype, shape=array.shape)
    (field,) = (field.name for field, _ in proto.ListFields() if field.name.endswith("_val"))
    if field == "half_val":
        values = values.view(np.uint16)
    getattr(proto, field)[:] = [
        value.encode() if isinstance(value, str) else value for value in values.tolist()
    ]
    return proto


def model(spec) -> None:
    spec.name = MODEL
    spec.version.value = 1
    spec.signature_name = "serving_default"


def example(**features) -> tf.train.Example:
    kinds = {float: "float_list", int: "int64_list", bytes: "bytes_list"}
    result = tf.train.Example()
    for name, value in features.items():
        getattr(result.features.feature[name], kinds[type(value)]).value.append(value)
    return result


def messages():
    yield "predict_one_value", predict(x=np.array([[1.5]], np.float32))
    yield "predict_row", predict(x=np.array([[1.5, 2, -3]], np.float32))
    for datatype, array in ARRAYS.items():
        is_text = array.dtype == object
        data = [[text.encode() for text in row] for row in array.tolist()] if is_text else array
        yield f"predict_{datatype}", predict(x=data)
        request = predict()
        request.inputs["x"].CopyFrom(typed(array))
        yield f"predict_{datatype}_typed", request
        yield f"predicted_{datatype}", predicted(y=array)
    filled = predict(amount=1)
    filled.inputs["amount"].CopyFrom(tf.make_tensor_proto(2.5, tf.float32, shape=[3, 1]))
    yield "predict_filled", filled
    table = predict(
        amount=np.array([[1.5]], np.float32), carrier=[[b"AA"]], seats=np.array([3], np.int64)
    )
    table.model_spec.version.value = 1
    table.output_filter.append("y")
    yield "predict_table", table

    examples = [
        example(amount=1.5, carrier=b"AA", seats=3, weekend=1),
        example(carrier=b"n\xc3\xa9", seats=4, weekend=0),
    ]
    inputs = input_pb2.Input()
    inputs.example_list.examples.extend(examples)
    with_context = input_pb2.Input()
    with_context.example_list_with_context.examples.extend([example(amount=1.5), example()])
    with_context.example_list_with_context.context.CopyFrom(
        example(carrier=b"AA", seats=3, weekend=1)
    )
    for name, kind in (
        ("classify", classification_pb2.ClassificationRequest),
        ("regress", regression_pb2.RegressionRequest),
    ):
        for suffix, given in (("", inputs), ("_context", with_context)):
            request = kind(input=given)
            request.model_spec.name = MODEL
            yield f"{name}{suffix}", request
    classified = classification_pb2.ClassificationResponse()
    model(classified.model_spec)
    for scores in ((0.25, 0.75), (1.0, 0.0)):
        classes = classified.result.classifications.add().classes
        for label, score in zip(("early", "late"), scores, strict=True):
            classes.add(label=label, score=score)
    yield "classified", classified
    regressed = regression_pb2.RegressionResponse()
    model(regressed.model_spec)
    for value in (0.5, -2.0):
        regressed.result.regressions.add(value=value)
    yield "regressed", regressed

    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = MODEL
    yield "get_model_metadata", request
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    yield "get_model_status", request
    response = get_model_status_pb2.GetModelStatusResponse()
    status = response.model_version_status.add(version=1, state="AVAILABLE")
    status.status.SetInParent()
    yield "model_status", response


def fields() -> dict[str, dict[str, list]]:
    """Return the definitions of the names that Perennial has too.

    Number, type and label of each field by message, the number of each value by enum, and the types
    of each method by service.
    """
    found: dict[str, dict[str, list]] = {}

    def add(prefix: str, message) -> None:
        name = f"{prefix}.{message.name}"
        found[name] = {
            field.name: [field.number, field.type, field.label] for field in message.field
        }
        for nested in message.nested_type:
            add(name, nested)
        add_enums(name, message.enum_type)

    def add_enums(prefix: str, enums) -> None:
        for enum in enums:
            found[f"{prefix}.{enum.name}"] = {value.name: [value.number] for value in enum.value}

    def add_file(descriptor) -> None:
        if descriptor.name in seen or descriptor.name.startswith("google/"):
            return
        seen.add(descriptor.name)
        file = descriptor_pb2.FileDescriptorProto()
        descriptor.CopyToProto(file)
        for message in file.message_type:
            add(file.package, message)
        add_enums(file.package, file.enum_type)
        for service in file.service:
            found[f"{file.package}.{service.name}"] = {
                method.name: [method.input_type, method.output_type] for method in service.method
            }
        for dependency in descriptor.dependencies:
            add_file(dependency)

    seen: set[str] = set()
    for module in (prediction_service_pb2, model_service_pb2, meta_graph_pb2):
        add_file(module.DESCRIPTOR)
    own = DESCRIPTORS.read_bytes()
    return {name: value for name, value in found.items() if name.split(".")[-1].encode() in own}


def main() -> None:
    hexed = {
        name: message.SerializeToString(deterministic=True).hex() for name, message in messages()
    }
    document = {"messages": hexed, "fields": fields()}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(document, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
