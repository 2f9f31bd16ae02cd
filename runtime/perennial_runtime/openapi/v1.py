"""Schemas of TensorFlow Serving's REST API, which KServe's v1 protocol shares."""

from typing import Any

from ..samples import MANY_ELEMENTS, sample_row, sample_size, sample_tensor
from ..signature import TensorSpec
from .responses import JSON, ref
from .served import Served
from .values import Schema, nested, value

DEFAULT_SIGNATURE = "serving_default"
NUMBERS = "Numbers may be the tokens NaN, Infinity and -Infinity, which standard JSON has not."

NUMBER: Schema = {"description": "A number, or one of the tokens NaN, Infinity and -Infinity."}
"""Of an answer. The tokens are of no type that JSON Schema knows."""


def schemas(served: Served) -> dict[str, Schema]:
    """The components, by name."""
    return {
        "V1Models": _object(models={"type": "array", "items": {"type": "string"}}),
        "V1Model": _object(
            name={"const": served.name},
            ready={"type": "boolean"},
            model_version_status={"type": "array", "items": _version_status()},
        ),
        "V1Metadata": _object(
            model_spec={"type": "object"},
            metadata=_object(signature_def={"type": "object"}),
        ),
        "V1PredictRequest": _predict_request(served),
        "V1PredictResponse": {
            "oneOf": [
                _object(predictions={"type": "array", "description": "One for each instance."}),
                _object(outputs={"description": "By name; one output alone has none."}),
            ]
        },
        "V1ClassifyRequest": _examples_request(served, "tensorflow/serving/classify"),
        "V1RegressRequest": _examples_request(served, "tensorflow/serving/regress"),
        "V1ClassifyResponse": _object(
            results={
                "type": "array",
                "description": "For each example its classes with their scores.",
                "items": {"type": "array", "items": _pair()},
            }
        ),
        "V1RegressResponse": _object(
            results={"type": "array", "items": NUMBER, "description": "A number each."}
        ),
    }


def predict_body(served: Served) -> dict[str, Any]:
    """What :predict reads."""
    content: dict[str, Any] = {"schema": ref("V1PredictRequest")}
    if served.is_tabular:
        content["example"] = {"instances": [sample_row(served.inputs, served.profile)]}
    elif sum(map(sample_size, served.inputs)) < MANY_ELEMENTS:
        content["example"] = {"inputs": {spec.name: _sample(spec) for spec in served.inputs}}
    text = f"Rows (instances), or whole tensors (inputs). {NUMBERS}"
    return {"required": True, "description": text, "content": {JSON: content}}


def classify_body(served: Served) -> dict[str, Any]:
    """What :classify reads."""
    return _examples_body(served, "V1ClassifyRequest")


def regress_body(served: Served) -> dict[str, Any]:
    """What :regress reads."""
    return _examples_body(served, "V1RegressRequest")


def _examples_body(served: Served, schema: str) -> dict[str, Any]:
    example = {"examples": [sample_row(served.inputs, served.profile)]}
    content = {"schema": ref(schema), "example": example}
    return {"required": True, "description": f"Rows. {NUMBERS}", "content": {JSON: content}}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _version_status() -> Schema:
    return _object(
        version={"type": "string"},
        state={"enum": ["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]},
        status=_object(error_code={"type": "string"}, error_message={"type": "string"}),
    )


def _predict_request(served: Served) -> Schema:
    named = {"signature_name": {"enum": [DEFAULT_SIGNATURE, ""]}}
    instances = [{"type": "array", "minItems": 1, "items": kind} for kind in _instances(served)]
    rows = _object(instances={"anyOf": instances})
    whole = _object(inputs=_tensors(served))
    for schema in (rows, whole):
        schema["properties"] |= named
    rows["not"], whole["not"] = {"required": ["inputs"]}, {"required": ["instances"]}
    return {"oneOf": [rows, whole]}


def _instances(served: Served) -> list[Schema]:
    """The kinds of rows, of which a request has one: by name, or bare where that is clear."""
    inputs = served.inputs
    if served.is_tabular:
        cells = {spec.name: _cell(spec) for spec in inputs}
        # As in a row of /predict, only these have no missing values.
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


def _tensors(served: Served) -> Schema:
    """Whole tensors: by name, or the only one bare."""
    parts = {}
    for spec in served.inputs:
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
    """A value of a row, bare or alone in a list."""
    element = _element(spec)
    alone = {"type": "array", "minItems": 1, "maxItems": 1, "items": element}
    return {"anyOf": [element, alone]}


def _element(spec: TensorSpec) -> Schema:
    element = value(spec.datatype, nullable=True)
    if spec.dtype.kind != "O":
        return element
    encoded = {"b64": {"type": "string", "contentEncoding": "base64"}}
    return {"anyOf": [element, _named(["b64"], encoded)]}


def _examples_request(served: Served, signature: str) -> Schema:
    # What an example lacks, the context may have.
    example = _named([], {spec.name: _cell(spec) for spec in served.inputs})
    schema = _object(examples={"type": "array", "minItems": 1, "items": example})
    schema["properties"] |= {
        "context": {
            **example,
            "type": ["object", "null"],
            "description": "Features that all examples share, and none of them has.",
        },
        "signature_name": {"enum": [DEFAULT_SIGNATURE, signature, ""]},
    }
    return schema


def _pair() -> Schema:
    """Label and score; some readers of OpenAPI do not understand prefixItems so deep."""
    label_or_score = {"anyOf": [{"type": "string"}, NUMBER]}
    return {"type": "array", "minItems": 2, "maxItems": 2, "items": label_or_score}


def _sample(spec: TensorSpec) -> Any:
    shape = [1 if extent < 0 else extent for extent in spec.shape]
    sample = sample_tensor(spec)["data"]
    # Innermost extent first: lists of that many, then lists of those.
    for extent in reversed(shape[1:]):
        sample = [sample[at : at + extent] for at in range(0, len(sample), extent)]
    return sample if shape else sample[0]
