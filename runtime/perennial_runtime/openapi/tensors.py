"""Schemas of the Open Inference Protocol v2: metadata, health, tensors in and out."""

from typing import Any

from ..protocol.v2.header import HEADER
from ..samples import MANY_ELEMENTS, sample_size, sample_tensor
from ..signature import DTYPES, TensorSpec
from .responses import JSON, ref
from .served import Served
from .values import Schema, data, shape, value

BINARY = "application/octet-stream"
HEAD_FIRST = (
    f"The JSON head, of as many bytes as the header {HEADER} says, then the data of the binary "
    "tensors in their order: little-endian, row-major; each string after its length in 4 bytes."
)
NO_HEAD = f"{HEADER}: 0 goes before the bare data of a model's only input."


def schemas(served: Served) -> dict[str, Schema]:
    """The components, by name."""
    return {
        "Health": _object(live={"type": "boolean"}, ready={"type": "boolean"}),
        "ModelReady": _object(name={"const": served.name}, ready={"type": "boolean"}),
        "ServerMetadata": _object(
            name={"type": "string"},
            version={"type": "string"},
            extensions={"type": "array", "items": {"type": "string"}},
        ),
        "ModelMetadata": _object(
            name={"const": served.name},
            versions={"type": "array", "items": {"type": "string"}},
            platform={"type": "string"},
            inputs={"type": "array", "items": ref("TensorMetadata")},
            outputs={"type": "array", "items": ref("TensorMetadata")},
            properties={"type": "object", "additionalProperties": {"type": "string"}},
        ),
        "TensorMetadata": _object(
            name={"type": "string"},
            datatype={"enum": list(DTYPES)},
            shape={
                "type": "array",
                "items": {"type": "integer", "minimum": -1},
                "description": "-1 stands for any extent.",
            },
        ),
        "InferRequest": _request(served),
        "InferResponse": _response(served),
    }


def request_body(served: Served) -> dict[str, Any]:
    """What /infer reads."""
    content: dict[str, Any] = {JSON: {"schema": ref("InferRequest")}}
    if sum(map(sample_size, served.inputs)) < MANY_ELEMENTS:
        content[JSON]["example"] = {"inputs": [sample_tensor(spec) for spec in served.inputs]}
    if served.binary_tensors:
        # The header is told in words: a parameter would belong to the other media type as well.
        content[BINARY] = {}
    more = f" {BINARY}: {HEAD_FIRST} {NO_HEAD}" if served.binary_tensors else ""
    return {
        "required": True,
        "description": f"Tensors, each input of the model once, in any order.{more}",
        "content": content,
    }


def answer(served: Served) -> dict[str, Any]:
    """What /infer answers with."""
    content: dict[str, Any] = {JSON: {"schema": ref("InferResponse")}}
    described: dict[str, Any] = {"description": "The outputs.", "content": content}
    if served.binary_tensors:
        content[BINARY] = {}
        described["description"] += f" {BINARY}, where an output is asked for so: {HEAD_FIRST}"
        described["headers"] = {HEADER: {"schema": {"type": "integer", "minimum": 0}}}
    return described


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _request(served: Served) -> Schema:
    entries = [_input(served, spec) for spec in served.inputs]
    count = len(entries)
    inputs: Schema = {"type": "array", "minItems": count, "maxItems": count}
    if count == 1:
        inputs["items"] = entries[0]
    elif count:
        inputs["items"] = {"oneOf": entries}
        inputs["allOf"] = [
            {"contains": _object(name={"const": spec.name})} for spec in served.inputs
        ]
        inputs["description"] = "Each input once, in any order."
    wanted = _object(name={"enum": [spec.name for spec in served.outputs]})
    request = _object(inputs=inputs)
    request["properties"] |= {
        "id": {"type": ["string", "null"], "description": "Comes back in the answer."},
        "outputs": {
            "type": ["array", "null"],
            "items": wanted,
            "uniqueItems": True,
            "maxItems": len(served.outputs),
            "description": "The outputs that are wanted; all, where there are none.",
        },
    }
    if served.binary_tensors:
        request["properties"]["parameters"] = _parameters(binary_data_output={"type": "boolean"})
        wanted["properties"]["parameters"] = _parameters(
            binary_data={"type": "boolean"},
            classification={
                "type": "integer",
                "minimum": 1,
                "description": "How many of the highest values are wanted, as text.",
            },
        )
    return request


def _parameters(**properties: Schema) -> Schema:
    return {"type": ["object", "null"], "properties": properties}


def _input(served: Served, spec: TensorSpec) -> Schema:
    schema = _object(
        name={"const": spec.name}, datatype={"const": spec.datatype}, shape=shape(spec)
    )
    schema["title"] = spec.name
    schema["properties"]["data"] = data(spec) | {
        "description": "As many values as the shape says, flat in row-major order, or nested."
    }
    if served.binary_tensors:
        size = {"type": "integer", "minimum": 0, "description": "Bytes, in place of data."}
        schema["properties"]["parameters"] = _parameters(binary_data_size=size)
    else:
        schema["required"].append("data")
    return schema


def _response(served: Served) -> Schema:
    entries = [_output(served, spec) for spec in served.outputs]
    schema = _object(
        model_name={"const": served.name},
        model_version={"const": served.version},
        outputs={"type": "array", "items": {"anyOf": entries} if entries else {}},
    )
    schema["properties"]["id"] = {"type": "string", "description": "The request's."}
    return schema


def _output(served: Served, spec: TensorSpec) -> Schema:
    kinds: Schema = {"const": spec.datatype}
    # An answer may have more dimensions than the model's file declares.
    extents = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    nullable = spec.dtype.kind == "f"  # NaN
    element = {"type": value(spec.datatype, nullable)["type"]}
    if served.binary_tensors and spec.dtype.kind not in "Ob":
        kinds = {"enum": [spec.datatype, "BYTES"], "description": "BYTES where classified."}
        element = {"anyOf": [element, {"type": "string"}]}
    values = {"type": "array", "items": element, "description": "Flat, in row-major order."}
    schema = _object(name={"const": spec.name}, datatype=kinds, shape=extents, data=values)
    if served.binary_tensors:
        schema["required"].remove("data")
        schema["properties"]["parameters"] = {"type": "object"}
    return schema | {"title": spec.name}
