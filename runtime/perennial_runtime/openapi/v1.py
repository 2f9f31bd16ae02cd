"""Schemas of TensorFlow Serving's REST API, which KServe's v1 protocol shares."""

from typing import Any

from ..description import ModelDescription
from ..protocol.shared.tensorflow import DEFAULT_SIGNATURE, State
from ..samples import MANY_ELEMENTS, sample_row, sample_size, sample_tensor
from ..signature import TensorSpec
from .responses import JSON, ref
from .values import Schema, nested, object_of, value

NUMBERS = "Numbers may be the tokens NaN, Infinity and -Infinity, which are not standard JSON."

NUMBER: Schema = {"description": "A number, or one of the tokens NaN, Infinity and -Infinity."}
"""Schema of a number in a response. JSON Schema has no type for the tokens."""


def schemas(model: ModelDescription) -> dict[str, Schema]:
    """Return the components, by name."""
    return {
        "V1Models": object_of(models={"type": "array", "items": {"type": "string"}}),
        "V1Model": object_of(
            name={"const": model.name},
            ready={"type": "boolean"},
            model_version_status={"type": "array", "items": _version_status()},
        ),
        "V1Metadata": object_of(
            model_spec={"type": "object"},
            metadata=object_of(signature_def={"type": "object"}),
        ),
        "V1PredictRequest": _predict_request(model),
        "V1PredictResponse": {
            "oneOf": [
                object_of(predictions={"type": "array", "description": "One for each instance."}),
                object_of(outputs={"description": "Outputs by name, or the only output alone."}),
            ]
        },
        "V1ClassifyRequest": _examples_request(model, "tensorflow/serving/classify"),
        "V1RegressRequest": _examples_request(model, "tensorflow/serving/regress"),
        "V1ClassifyResponse": object_of(
            results={
                "type": "array",
                "description": "The classes of each example, with their scores.",
                "items": {"type": "array", "items": _pair()},
            }
        ),
        "V1RegressResponse": object_of(
            results={"type": "array", "items": NUMBER, "description": "A number for each example."}
        ),
    }


def predict_body(model: ModelDescription) -> dict[str, Any]:
    """Return the body of a request to :predict."""
    content: dict[str, Any] = {"schema": ref("V1PredictRequest")}
    if model.is_tabular:
        content["example"] = {"instances": [sample_row(model.inputs, model.profile)]}
    elif sum(map(sample_size, model.inputs)) < MANY_ELEMENTS:
        content["example"] = {"inputs": {spec.name: _sample(spec) for spec in model.inputs}}
    text = f"Rows (instances), or whole tensors (inputs). {NUMBERS}"
    return {"required": True, "description": text, "content": {JSON: content}}


def classify_body(model: ModelDescription) -> dict[str, Any]:
    """Return the body of a request to :classify."""
    return _examples_body(model, "V1ClassifyRequest")


def regress_body(model: ModelDescription) -> dict[str, Any]:
    """Return the body of a request to :regress."""
    return _examples_body(model, "V1RegressRequest")


def _examples_body(model: ModelDescription, schema: str) -> dict[str, Any]:
    example = {"examples": [sample_row(model.inputs, model.profile)]}
    content = {"schema": ref(schema), "example": example}
    return {"required": True, "description": f"Rows. {NUMBERS}", "content": {JSON: content}}


def _version_status() -> Schema:
    return object_of(
        version={"type": "string"},
        state={"enum": list(State)},
        status=object_of(error_code={"type": "string"}, error_message={"type": "string"}),
    )


def _predict_request(model: ModelDescription) -> Schema:
    named = {"signature_name": {"enum": [DEFAULT_SIGNATURE, ""]}}
    instances = [{"type": "array", "minItems": 1, "items": kind} for kind in _instances(model)]
    rows = object_of(instances={"anyOf": instances})
    whole = object_of(inputs=_tensors(model))
    for schema in (rows, whole):
        schema["properties"] |= named
    rows["not"], whole["not"] = {"required": ["inputs"]}, {"required": ["instances"]}
    return {"oneOf": [rows, whole]}


def _instances(model: ModelDescription) -> list[Schema]:
    """Return the schemas of a row: by name, or bare if that is unambiguous."""
    inputs = model.inputs
    if model.is_tabular:
        cells = {spec.name: _cell(spec) for spec in inputs}
        # As in a row of /predict, only these cannot be missing.
        needed = [spec.name for spec in inputs if spec.dtype.kind not in "fO"]
        if len(inputs) == 1:
            return [_named(needed, cells), *cells.values()]
        count = len(inputs)
        listed = {
            "type": "array",
            "minItems": count,
            "maxItems": count,
            "prefixItems": list(cells.values()),
        }
        return [_named(needed, cells), listed]
    parts = {spec.name: nested(_element(spec), spec.shape[1:]) for spec in inputs}
    return [_named(list(parts), parts), *(parts.values() if len(parts) == 1 else ())]


def _tensors(model: ModelDescription) -> Schema:
    """Return the schema of whole tensors: by name, or bare if there is only one."""
    parts = {}
    for spec in model.inputs:
        whole = nested(_element(spec), spec.shape)
        if spec.is_column:
            flat, deep = (nested(_element(spec), shape) for shape in ((-1,), (-1, 1)))
            whole = {"anyOf": [flat, deep]}
        parts[spec.name] = whole
    named = _named(list(parts), parts)
    return {"anyOf": [named, *parts.values()]} if len(parts) == 1 else named


def _named(required: list[str], properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _cell(spec: TensorSpec) -> Schema:
    """Return the schema of a value of a row, bare or alone in a list."""
    element = _element(spec)
    alone = {"type": "array", "minItems": 1, "maxItems": 1, "items": element}
    return {"anyOf": [element, alone]}


def _element(spec: TensorSpec) -> Schema:
    element = value(spec.datatype, nullable=True)
    if spec.dtype.kind != "O":
        return element
    encoded = {"b64": {"type": "string", "contentEncoding": "base64"}}
    return {"anyOf": [element, _named(["b64"], encoded)]}


def _examples_request(model: ModelDescription, signature: str) -> Schema:
    # The context may have the features that an example lacks.
    example = _named([], {spec.name: _cell(spec) for spec in model.inputs})
    schema = object_of(examples={"type": "array", "minItems": 1, "items": example})
    schema["properties"] |= {
        "context": {
            **example,
            "type": ["object", "null"],
            "description": "Features of all examples. No example may have them as well.",
        },
        "signature_name": {"enum": [DEFAULT_SIGNATURE, signature, ""]},
    }
    return schema


def _pair() -> Schema:
    """Return the schema of a label with its score.

    Not with prefixItems, which some tools do not support at this depth.
    """
    label_or_score = {"anyOf": [{"type": "string"}, NUMBER]}
    return {"type": "array", "minItems": 2, "maxItems": 2, "items": label_or_score}


def _sample(spec: TensorSpec) -> Any:
    shape = [1 if extent < 0 else extent for extent in spec.shape]
    sample = sample_tensor(spec)["data"]
    # Innermost extent first: lists of that many, then lists of those.
    for extent in reversed(shape[1:]):
        sample = [sample[start : start + extent] for start in range(0, len(sample), extent)]
    return sample if shape else sample[0]
