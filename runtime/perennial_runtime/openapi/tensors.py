"""Schemas of the Open Inference Protocol v2: metadata, health, tensors in and out."""

from typing import Any

from ..description import ModelDescription
from ..protocol.v2.header import HEADER
from ..samples import MANY_ELEMENTS, sample_size, sample_tensor
from ..signature import DTYPES, TensorSpec
from .responses import JSON, ref
from .values import Schema, data, object_of, shape, value

BINARY = "application/octet-stream"
JSON_HEAD = (
    f"a JSON head, whose length in bytes is in the header {HEADER}, then the data of the binary "
    "tensors in their order: little-endian, row-major, each string after its length in 4 bytes."
)
NO_HEAD = f"With {HEADER}: 0, the body is the data of the model's only input."


def schemas(model: ModelDescription) -> dict[str, Schema]:
    """Return the components, by name."""
    return {
        "Health": object_of(live={"type": "boolean"}, ready={"type": "boolean"}),
        "ModelReady": object_of(name={"const": model.name}, ready={"type": "boolean"}),
        "ServerMetadata": object_of(
            name={"type": "string"},
            version={"type": "string"},
            extensions={"type": "array", "items": {"type": "string"}},
        ),
        "ModelMetadata": object_of(
            name={"const": model.name},
            versions={"type": "array", "items": {"type": "string"}},
            platform={"type": "string"},
            inputs={"type": "array", "items": ref("TensorMetadata")},
            outputs={"type": "array", "items": ref("TensorMetadata")},
            properties={"type": "object", "additionalProperties": {"type": "string"}},
        ),
        "TensorMetadata": object_of(
            name={"type": "string"},
            datatype={"enum": list(DTYPES)},
            shape={
                "type": "array",
                "items": {"type": "integer", "minimum": -1},
                "description": "Extent of each dimension. -1 accepts any extent.",
            },
        ),
        "InferRequest": _request(model),
        "InferResponse": _response(model),
    }


def request_body(model: ModelDescription) -> dict[str, Any]:
    """Return the body of a request to /infer."""
    # The description has the header: a parameter would belong to the other media type as well.
    content: dict[str, Any] = {JSON: {"schema": ref("InferRequest")}, BINARY: {}}
    if sum(map(sample_size, model.inputs)) < MANY_ELEMENTS:
        content[JSON]["example"] = {"inputs": [sample_tensor(spec) for spec in model.inputs]}
    return {
        "required": True,
        "description": (
            "Tensors: each input of the model once, in any order. "
            f"{BINARY} is {JSON_HEAD} {NO_HEAD}"
        ),
        "content": content,
    }


def response() -> dict[str, Any]:
    """Return the response of /infer."""
    return {
        "description": f"The outputs. {BINARY}, for a request of binary outputs, is {JSON_HEAD}",
        "content": {JSON: {"schema": ref("InferResponse")}, BINARY: {}},
        "headers": {HEADER: {"schema": {"type": "integer", "minimum": 0}}},
    }


def _request(model: ModelDescription) -> Schema:
    entries = [_input(spec) for spec in model.inputs]
    count = len(entries)
    inputs: Schema = {"type": "array", "minItems": count, "maxItems": count}
    if count == 1:
        inputs["items"] = entries[0]
    elif count:
        inputs["items"] = {"oneOf": entries}
        inputs["allOf"] = [
            {"contains": object_of(name={"const": spec.name})} for spec in model.inputs
        ]
        inputs["description"] = "Each input once, in any order."
    requested = object_of(name={"enum": [spec.name for spec in model.outputs]})
    requested["properties"]["parameters"] = _parameters(
        binary_data={"type": "boolean"},
        classification={
            "type": "integer",
            "minimum": 1,
            "description": "Number of the highest values to return, as text.",
        },
    )
    request = object_of(inputs=inputs)
    request["properties"] |= {
        "id": {"type": ["string", "null"], "description": "The response repeats it."},
        "outputs": {
            "type": ["array", "null"],
            "items": requested,
            "uniqueItems": True,
            "maxItems": len(model.outputs),
            "description": "The requested outputs. Default: all.",
        },
        "parameters": _parameters(binary_data_output={"type": "boolean"}),
    }
    return request


def _parameters(**properties: Schema) -> Schema:
    return {"type": ["object", "null"], "properties": properties}


def _input(spec: TensorSpec) -> Schema:
    schema = object_of(
        name={"const": spec.name}, datatype={"const": spec.datatype}, shape=shape(spec)
    )
    schema["title"] = spec.name
    schema["properties"]["data"] = data(spec) | {
        "description": "The elements of the shape, flat in row-major order, or nested."
    }
    size = {"type": "integer", "minimum": 0, "description": "Bytes, in place of data."}
    schema["properties"]["parameters"] = _parameters(binary_data_size=size)
    return schema


def _response(model: ModelDescription) -> Schema:
    entries = [_output(spec) for spec in model.outputs]
    schema = object_of(
        model_name={"const": model.name},
        model_version={"const": model.version},
        outputs={"type": "array", "items": {"anyOf": entries} if entries else {}},
    )
    schema["properties"]["id"] = {"type": "string", "description": "The id of the request."}
    return schema


def _output(spec: TensorSpec) -> Schema:
    datatype: Schema = {"const": spec.datatype}
    # A result may have more dimensions than the model's file declares.
    extents = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    nullable = spec.dtype.kind == "f"  # NaN
    element = {"type": value(spec.datatype, nullable)["type"]}
    if spec.dtype.kind not in "Ob":
        description = "BYTES for a request with classification."
        datatype = {"enum": [spec.datatype, "BYTES"], "description": description}
        element = {"anyOf": [element, {"type": "string"}]}
    values = {"type": "array", "items": element, "description": "Flat, in row-major order."}
    schema = object_of(name={"const": spec.name}, datatype=datatype, shape=extents)
    schema["properties"] |= {"data": values, "parameters": {"type": "object"}}
    return schema | {"title": spec.name}
