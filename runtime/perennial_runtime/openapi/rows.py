"""Schemas for rows of a table: predictions, feedback, counters, the profile."""

from typing import Any

from pydantic.json_schema import models_json_schema

from perennial_contracts.wire.counters import Counters
from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES
from perennial_contracts.wire.profile import Distribution, Profile

from ..description import ModelDescription
from ..samples import sample_row
from ..signature import TensorSpec
from .responses import JSON, ref
from .values import Schema, nested, value

ID = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{32}$",
    "description": "Identifies the prediction. Send it with the true label to /feedback.",
}


def schemas(model: ModelDescription) -> dict[str, Schema]:
    """Return the components, by name."""
    return {
        "Row": _row(model),
        "PredictRequest": _predict_request(),
        "PredictResponse": _predict_response(model),
        "FeedbackRequest": _feedback_request(model),
        "FeedbackResponse": _feedback_response(),
        **contracts(),
    }


def predict_body(model: ModelDescription) -> dict[str, Any]:
    """Return the body of a request to /predict."""
    example = {"instances": [sample_row(model.inputs, model.profile)]}
    return {
        "required": True,
        "description": "Rows by feature. A value that is null or left out is missing.",
        "content": {JSON: {"schema": ref("PredictRequest"), "example": example}},
    }


def feedback_link(model: ModelDescription, operation: str) -> dict[str, Any]:
    """Return the link from a response of /predict to a request to /feedback."""
    first = "$response.body#/predictions/0"
    output = PREDICTION if model.is_regression else LABEL
    entry = {"prediction_id": f"{first}/prediction_id", "label": f"{first}/{output}"}
    return {
        "feedback": {
            "operationId": operation,
            "requestBody": {"feedback": [entry]},
            "description": "Send the true label with the prediction's id, when it is known.",
        }
    }


def _row(model: ModelDescription) -> Schema:
    profiled = {d.name: d for d in model.profile.features} if model.profile else {}
    return {
        "type": "object",
        "required": [spec.name for spec in model.inputs if spec.dtype.kind not in "fO"],
        "properties": {spec.name: _feature(spec, profiled.get(spec.name)) for spec in model.inputs},
        "additionalProperties": False,
    }


def _feature(spec: TensorSpec, reference: Distribution | None) -> Schema:
    schema = value(spec.datatype, nullable=True)
    text = spec.datatype
    if schema["type"] in ("integer", "boolean"):
        text += "; must not be missing"
    if reference is not None and reference.edges:
        low, high = reference.edges[0], reference.edges[-1]
        text += f". In the held-out data mostly from {low:g} to {high:g}"
    elif reference is not None and reference.categories:
        text += f". In the held-out data {', '.join(reference.categories[:10])}"
        text += " and others" if len(reference.categories) > 10 else ""
    return {**schema, "description": f"{text}."}


def _predict_request() -> Schema:
    rows = {"type": "array", "minItems": 1, "items": ref("Row")}
    enveloped = {"type": "object", "required": ["instances"], "properties": {"instances": rows}}
    return {"anyOf": [enveloped, rows, {"allOf": [ref("Row")], "minProperties": 1}]}


def _predict_response(model: ModelDescription) -> Schema:
    prediction: Schema = {
        "type": "object",
        "required": ["prediction_id"],
        "properties": {"prediction_id": ID},
    }
    if model.is_regression:
        prediction["required"].append(PREDICTION)
        prediction["properties"][PREDICTION] = {"type": ["number", "null"]}
    elif model.classes is None:
        prediction["required"].append("outputs")
        prediction["properties"]["outputs"] = {
            "type": "object",
            "description": "A value for each output, or an array for an output of several values.",
            "required": [spec.name for spec in model.outputs],
            "properties": {spec.name: _output(spec) for spec in model.outputs},
        }
    else:
        names = model.classes.names
        prediction["required"] += [LABEL, PROBABILITIES]
        prediction["properties"] |= {
            LABEL: _label(model),
            PROBABILITIES: {
                "type": "object",
                "required": list(names),
                "properties": {name: {"type": ["number", "null"]} for name in names},
                "additionalProperties": False,
            },
        }
    return {
        "type": "object",
        "required": ["model_name", "model_version", "predictions"],
        "properties": {
            "model_name": {"const": model.name},
            "model_version": {"const": model.version},
            "predictions": {
                "type": "array",
                "minItems": 1,
                "items": prediction,
                "description": "One for each row, in order.",
            },
        },
    }


def _label(model: ModelDescription) -> Schema:
    assert model.classes is not None
    names = list(model.classes.names)
    datatype = next(spec.datatype for spec in model.outputs if spec.name == LABEL)
    kind = value(datatype)["type"]
    if model.classes.are_numbered:
        return {"type": ["string", kind], "description": f"One of {', '.join(names)}."}
    schema: Schema = {"type": kind}
    if model.has_stated_labels and kind == "string":
        schema["enum"] = names
    return schema


def _output(spec: TensorSpec) -> Schema:
    element = {"type": value(spec.datatype, nullable=spec.dtype.kind == "f")["type"]}
    inner = spec.shape[1:]
    if inner in ((), (1,)):
        return element
    if -1 in inner:  # a free extent may be 1, which gives a single value
        return {"anyOf": [element, nested(element, (-1,) * len(inner))]}
    return nested(element, inner)


def _feedback_request(model: ModelDescription) -> Schema:
    # Another version of the model may have had labels of another type.
    label = {"type": ["string", "number", "boolean"], "description": "The true label."}
    if model.is_regression:
        label["description"] = "The true number."
    entry = {
        "type": "object",
        "required": ["prediction_id", "label"],
        "properties": {"prediction_id": ID, "label": label},
    }
    return {
        "type": "object",
        "required": ["feedback"],
        "properties": {
            "feedback": {
                "type": "array",
                "minItems": 1,
                "items": entry,
                "description": "A wrong entry does not affect the others.",
            }
        },
    }


def _feedback_response() -> Schema:
    rejected = {
        "type": "object",
        "required": ["index", "prediction_id", "error"],
        "properties": {
            "index": {
                "type": "integer",
                "minimum": 0,
                "description": "Index of the entry, from 0.",
            },
            "prediction_id": {"description": "The id in the request."},
            "error": {"type": "string"},
        },
    }
    return {
        "type": "object",
        "required": ["accepted", "rejected"],
        "properties": {
            "accepted": {
                "type": "integer",
                "minimum": 0,
                "description": "Number of accepted labels.",
            },
            "rejected": {"type": "array", "items": rejected},
            "error": {"type": "string", "description": "Only if no label was accepted."},
        },
    }


def contracts() -> dict[str, Schema]:
    """Return the schemas of counters and profile, from their pydantic models."""
    _, document = models_json_schema(
        [(Counters, "serialization"), (Profile, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    return dict(document["$defs"])
