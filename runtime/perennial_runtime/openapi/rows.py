"""Schemas of what has to do with rows of a table: predictions, labels, counters, the profile."""

from typing import Any

from pydantic.json_schema import models_json_schema

from perennial_contracts.wire.counters import Counters
from perennial_contracts.wire.profile import Distribution, Profile

from ..classes import LABEL
from ..regression import PREDICTION
from ..samples import sample_row
from ..signature import TensorSpec
from .responses import JSON, ref
from .served import Served
from .values import Schema, nested, value

ID = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{32}$",
    "description": "Names the prediction, so that its label can be sent to /feedback.",
}


def schemas(served: Served) -> dict[str, Schema]:
    """The components, by name."""
    return {
        "Row": _row(served),
        "PredictRequest": _predict_request(served),
        "PredictResponse": _predict_response(served),
        "FeedbackRequest": _feedback_request(served),
        "FeedbackResponse": _feedback_response(),
        **contracts(),
    }


def predict_body(served: Served) -> dict[str, Any]:
    """What /predict reads."""
    example = {"instances": [sample_row(served.inputs, served.profile)]}
    return {
        "required": True,
        "description": "Rows by feature. A value that is null or left out is a missing one.",
        "content": {JSON: {"schema": ref("PredictRequest"), "example": example}},
    }


def feedback_link(served: Served, operation: str) -> dict[str, Any]:
    """How the answer of /predict leads to a request to /feedback."""
    first = "$response.body#/predictions/0"
    answer = PREDICTION if served.is_regression else LABEL
    entry = {"prediction_id": f"{first}/prediction_id", "label": f"{first}/{answer}"}
    return {
        "feedback": {
            "operationId": operation,
            "requestBody": {"feedback": [entry]},
            "description": "Send the label when it is known, with the prediction's id.",
        }
    }


def _row(served: Served) -> Schema:
    known = {d.name: d for d in served.profile.features} if served.profile else {}
    return {
        "type": "object",
        "required": [spec.name for spec in served.inputs if spec.dtype.kind not in "fO"],
        "properties": {spec.name: _feature(spec, known.get(spec.name)) for spec in served.inputs},
        "additionalProperties": False,
    }


def _feature(spec: TensorSpec, seen: Distribution | None) -> Schema:
    schema = value(spec.datatype, nullable=True)
    said = spec.datatype
    if schema["type"] in ("integer", "boolean"):
        said += "; has no missing values"
    if seen is not None and seen.edges:
        said += f". On held-out data mostly from {seen.edges[0]:g} to {seen.edges[-1]:g}"
    elif seen is not None and seen.categories:
        said += f". On held-out data {', '.join(seen.categories[:10])}"
        said += " and others" if len(seen.categories) > 10 else ""
    return {**schema, "description": f"{said}."}


def _predict_request(served: Served) -> Schema:
    rows = {"type": "array", "minItems": 1, "items": ref("Row")}
    enveloped = {"type": "object", "required": ["instances"], "properties": {"instances": rows}}
    if not served.bare_rows:
        return enveloped
    return {"anyOf": [enveloped, rows, {"allOf": [ref("Row")], "minProperties": 1}]}


def _predict_response(served: Served) -> Schema:
    prediction: Schema = {
        "type": "object",
        "required": ["prediction_id"],
        "properties": {"prediction_id": ID},
    }
    if served.is_regression:
        prediction["required"].append(PREDICTION)
        prediction["properties"][PREDICTION] = {"type": ["number", "null"]}
    elif served.classes is None:
        prediction["required"].append("outputs")
        prediction["properties"]["outputs"] = {
            "type": "object",
            "description": "A value for each output; an array where it has more than one a row.",
            "required": [spec.name for spec in served.outputs],
            "properties": {spec.name: _output(spec) for spec in served.outputs},
        }
    else:
        names = served.classes.names
        prediction["required"] += ["label", "probabilities"]
        prediction["properties"] |= {
            "label": _label(served),
            "probabilities": {
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
            "model_name": {"const": served.name},
            "model_version": {"const": served.version},
            "predictions": {
                "type": "array",
                "minItems": 1,
                "items": prediction,
                "description": "One for each row, in order.",
            },
        },
    }


def _label(served: Served) -> Schema:
    assert served.classes is not None
    names = list(served.classes.names)
    datatype = next(spec.datatype for spec in served.outputs if spec.name == LABEL)
    kind = value(datatype)["type"]
    if served.classes.are_numbered:
        return {"type": ["string", kind], "description": f"One of {', '.join(names)}."}
    schema: Schema = {"type": kind}
    if served.are_labels_stated and kind == "string":
        schema["enum"] = names
    return schema


def _output(spec: TensorSpec) -> Schema:
    element = {"type": value(spec.datatype, nullable=spec.dtype.kind == "f")["type"]}
    inner = spec.shape[1:]
    if inner in ((), (1,)):
        return element
    if -1 in inner:  # a free extent may be one: then the value stands alone
        return {"anyOf": [element, nested(element, (-1,) * len(inner))]}
    return nested(element, inner)


def _feedback_request(served: Served) -> Schema:
    # Labels of a version before this one may be of another kind.
    label = {"type": ["string", "number", "boolean"], "description": "What proved to be true."}
    if served.is_regression:
        label["description"] = "The number that proved to be true."
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
                "description": "Each is checked by itself: one that is wrong stops no other.",
            }
        },
    }


def _feedback_response() -> Schema:
    rejected = {
        "type": "object",
        "required": ["index", "prediction_id", "error"],
        "properties": {
            "index": {"type": "integer", "minimum": 0, "description": "Its place, from 0."},
            "prediction_id": {"description": "As it came."},
            "error": {"type": "string"},
        },
    }
    return {
        "type": "object",
        "required": ["accepted", "rejected"],
        "properties": {
            "accepted": {"type": "integer", "minimum": 0, "description": "How many were."},
            "rejected": {"type": "array", "items": rejected},
            "error": {"type": "string", "description": "Where none was accepted."},
        },
    }


def contracts() -> dict[str, Schema]:
    """What the programs agree on, as pydantic describes it."""
    _, document = models_json_schema(
        [(Counters, "serialization"), (Profile, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    return dict(document["$defs"])
