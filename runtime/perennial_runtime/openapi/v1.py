"""Schemas of TensorFlow Serving's REST API, which KServe's v1 protocol shares."""

from typing import Any

from ..samples import MANY_ELEMENTS, sample_row, sample_size, sample_tensor
from ..signature import TensorSpec
from .responses import JSON, ref
from .served import Served
from .values import Schema, nested, value

NUMBERS = "Numbers may be the tokens NaN, Infinity and -Infinity, which standard JSON has not."


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
        "V1ExamplesRequest": _examples_request(served),
        "V1ClassifyResponse": _object(
            results={
                "type": "array",
                "description": "For each example its classes with their scores.",
                "items": {"type": "array", "items": _pair()},
            }
        ),
        "V1RegressResponse": _object(
            results={"type": "array", "items": {"type": "number"}, "description": "A number each."}
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


def examples_body(served: Served) -> dict[str, Any]:
    """What :classify and :regress read."""
    example = {"examples": [sample_row(served.inputs, served.profile)]}
    content = {"schema": ref("V1ExamplesRequest"), "example": example}
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
    named = {"signature_name": {"enum": ["serving_default", ""]}}
    rows = _object(instances={"type": "array", "minItems": 1, "items": _instance(served)})
    whole = _object(inputs=_tensors(served))
    for schema in (rows, whole):
        schema["properties"] |= named
    # Both together fit both, and so neither.
    return {"oneOf": [rows, whole]}


def _instance(served: Served) -> Schema:
    """One row: by name, or bare where that can be understood."""
    inputs = served.inputs
    cells = {spec.name: _cell(spec) for spec in inputs}
    if served.is_tabular:
        row = {"type": "object", "properties": cells, "additionalProperties": False}
        count = len(inputs)
        listed = {"type": "array", "minItems": count, "maxItems": count,
                  "prefixItems": list(cells.values())}  # fmt: skip
        bare = [next(iter(cells.values()))] if count == 1 else []
        return {"anyOf": [row, listed, *bare]}
    parts = {spec.name: nested(_element(spec), spec.shape[1:]) for spec in inputs}
    if len(inputs) == 1:
        return {"anyOf": [*parts.values(), _object(**parts)]}
    return _object(**parts)


def _tensors(served: Served) -> Schema:
    """Whole tensors: by name, or the only one bare."""
    parts = {}
    for spec in served.inputs:
        whole = nested(_element(spec), spec.shape)
        if spec.is_column:
            flat, deep = (nested(_element(spec), shape) for shape in ((-1,), (-1, 1)))
            whole = {"anyOf": [flat, deep]}
        parts[spec.name] = whole
    if len(parts) == 1:
        return {"anyOf": [*parts.values(), _object(**parts)]}
    return _object(**parts)


def _cell(spec: TensorSpec) -> Schema:
    """A value of a row, bare or alone in a list."""
    element = _element(spec)
    alone = {"type": "array", "minItems": 1, "maxItems": 1, "items": element}
    return {"anyOf": [element, alone]}


def _element(spec: TensorSpec) -> Schema:
    element = value(spec.datatype, nullable=True)
    if spec.dtype.kind != "O":
        return element
    return {"anyOf": [element, _object(b64={"type": "string", "contentEncoding": "base64"})]}


def _examples_request(served: Served) -> Schema:
    cells = {spec.name: _cell(spec) for spec in served.inputs}
    example = {"type": "object", "properties": cells}
    schema = _object(examples={"type": "array", "minItems": 1, "items": example})
    schema["properties"]["context"] = {
        **example,
        "description": "Features that all examples share.",
    }
    return schema


def _pair() -> Schema:
    return {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "prefixItems": [{"type": "string"}, {"type": "number"}],
    }


def _sample(spec: TensorSpec) -> Any:
    shape = [1 if extent < 0 else extent for extent in spec.shape]
    sample = sample_tensor(spec)["data"]
    # Innermost extent first: lists of that many, then lists of those.
    for extent in reversed(shape[1:]):
        sample = [sample[at : at + extent] for at in range(0, len(sample), extent)]
    return sample if shape else sample[0]
