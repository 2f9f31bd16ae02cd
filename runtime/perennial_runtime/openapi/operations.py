"""All operations of the server, and how to describe them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..description import ModelDescription
from . import rows, tensors, v1
from .responses import body_errors, errors, json_of, ref
from .values import Schema

MODEL = "{MODEL}"
"""Placeholder for the model's name in a path."""
VERSION = "{version}"
Parts = dict[str, Any]


def _always(model: ModelDescription) -> bool:
    return True


@dataclass(frozen=True)
class Operation:
    """A path with a method, and how to describe them."""

    path: str
    method: str
    key: str
    """The operation's id."""
    summary: str
    parts: Callable[[ModelDescription], Parts]
    """Builds the fields of the operation, except its id and its summary."""
    exists: Callable[[ModelDescription], bool] = _always
    """Returns whether the operation suits a model."""


def _json(schema: Schema, text: str, *statuses: str) -> Callable[[ModelDescription], Parts]:
    return lambda model: {"responses": {"200": json_of(schema, text), **errors(*statuses)}}


def _text(kind: str, text: str, *statuses: str) -> Callable[[ModelDescription], Parts]:
    content = {kind: {"schema": {"type": "string"}}}
    response = {"200": {"description": text, "content": content}}
    return lambda model: {"responses": response | errors(*statuses)}


def _page(model: ModelDescription) -> Parts:
    alive = {"type": "object", "properties": {"status": {"const": "alive"}}, "required": ["status"]}
    content = {"text/html": {"schema": {"type": "string"}}, "application/json": {"schema": alive}}
    text = "The page, for clients that accept text/html. For others, that the server is alive."
    return {"responses": {"200": {"description": text, "content": content}}}


def _readiness(name: str) -> Callable[[ModelDescription], Parts]:
    return lambda model: {
        "responses": {
            "200": json_of(ref(name), "Ready."),
            "503": json_of(ref(name), "Not ready: still loading, or shutting down."),
        }
    }


def _infer(model: ModelDescription) -> Parts:
    return {
        "requestBody": tensors.request_body(model),
        "responses": {"200": tensors.response(), **body_errors("500")},
    }


def _predict(model: ModelDescription) -> Parts:
    response = json_of(ref("PredictResponse"), "A prediction for each row.")
    if model.classes or model.is_regression:
        response["links"] = rows.feedback_link(model, "feedback")
    return {
        "requestBody": rows.predict_body(model),
        "responses": {"200": response, **body_errors("500")},
    }


def _feedback(model: ModelDescription) -> Parts:
    content = {"application/json": {"schema": ref("FeedbackRequest")}}
    accepted = json_of(ref("FeedbackResponse"), "At least one label was accepted.")
    rejected = {"anyOf": [ref("Error"), ref("FeedbackResponse")]}
    return {
        "requestBody": {"required": True, "content": content},
        "responses": {
            **body_errors(),
            "200": accepted,
            "400": json_of(rejected, "No label was accepted. Each entry has its reason."),
        },
    }


def _v1_body(
    body: Callable[[ModelDescription], Parts], response: str, text: str
) -> Callable[[ModelDescription], Parts]:
    return lambda model: {
        "requestBody": body(model),
        "responses": {"200": json_of(ref(response), text), **body_errors("500")},
    }


def _is_tabular(model: ModelDescription) -> bool:
    return model.is_tabular


def _is_profiled(model: ModelDescription) -> bool:
    return model.profile is not None


def _is_classifier(model: ModelDescription) -> bool:
    return model.is_tabular and model.classes is not None


def _is_regressor(model: ModelDescription) -> bool:
    if not model.is_tabular or len(model.outputs) != 1:
        return False
    (output,) = model.outputs
    return output.is_column and output.dtype.kind in "fiu"


def _with_versions(*operations: Operation) -> tuple[Operation, ...]:
    """Return the operations of a model, and the same for a version of it."""

    def versioned(operation: Operation) -> Operation:
        def parts(model: ModelDescription) -> Parts:
            versions = {"type": "string", "enum": ["1", model.version]}
            version = {
                "name": "version", "in": "path", "required": True, "schema": versions,
                "description": "The first digits of the model's digest, or 1.",
            }  # fmt: skip
            fields = operation.parts(model)
            fields["parameters"] = [version, *fields.get("parameters", ())]
            fields["responses"] = {**fields["responses"], **errors("404")}
            return fields

        path = operation.path.replace(MODEL, f"{MODEL}/versions/{VERSION}")
        return replace(operation, path=path, key=f"{operation.key}OfVersion", parts=parts)

    return (*operations, *map(versioned, operations))


SERVER_OPERATIONS = (
    Operation("/", "get", "page", "A page about the model", _page),
    Operation(
        "/openapi.json", "get", "openapi", "This document",
        _json({"type": "object"}, "OpenAPI 3.1.", "503"),
    ),
    Operation(
        "/metrics", "get", "metrics", "Metrics for Prometheus", _text("text/plain", "The metrics.")
    ),
)  # fmt: skip

V2_OPERATIONS = (
    Operation(
        "/v2", "get", "server", "Server metadata",
        _json(ref("ServerMetadata"), "Name, version and extensions of the server."),
    ),
    Operation(
        "/v2/health/live", "get", "live", "Liveness", _json(ref("Health"), "The process is up.")
    ),
    Operation("/v2/health/ready", "get", "ready", "Readiness", _readiness("Health")),
    *_with_versions(
        Operation(
            f"/v2/models/{MODEL}", "get", "metadata", "Model metadata",
            _json(ref("ModelMetadata"), "Inputs, outputs and properties of the model.", "503"),
        ),
        Operation(
            f"/v2/models/{MODEL}/ready", "get", "modelReady", "Readiness of the model",
            _readiness("ModelReady"),
        ),
        Operation(f"/v2/models/{MODEL}/infer", "post", "infer", "Tensors in, tensors out", _infer),
        Operation(
            f"/v2/models/{MODEL}/predict", "post", "predict", "Predictions for rows of a table",
            _predict, _is_tabular,
        ),
        Operation(
            f"/v2/models/{MODEL}/feedback", "post", "feedback", "True labels of predictions",
            _feedback, _is_tabular,
        ),
        Operation(
            f"/v2/models/{MODEL}/counters", "get", "counters", "Counts of the predictions so far",
            _json(ref("Counters"), "Counts over the bins of the profile.", "503"),
        ),
        Operation(
            f"/v2/models/{MODEL}/profile", "get", "profile", "The drift profile",
            _json(ref("Profile"), "The profile in the bundle.", "503"), _is_profiled,
        ),
    ),
)  # fmt: skip

V1_OPERATIONS = (
    Operation(
        "/v1/models", "get", "v1Models", "List of models",
        _json(ref("V1Models"), "Names of the models."),
    ),
    Operation(
        f"/v1/models/{MODEL}", "get", "v1Model", "State of the model",
        _json(ref("V1Model"), "The state.", "503"),
    ),
    Operation(
        f"/v1/models/{MODEL}/metadata", "get", "v1Metadata", "Signature of the model",
        _json(ref("V1Metadata"), "The signature, in TensorFlow Serving's form.", "503"),
    ),
    Operation(
        f"/v1/models/{MODEL}:predict", "post", "v1Predict",
        "Predictions, in TensorFlow Serving's form",
        _v1_body(v1.predict_body, "V1PredictResponse", "The predictions."),
    ),
    Operation(
        f"/v1/models/{MODEL}:classify", "post", "v1Classify", "Classes with their scores",
        _v1_body(v1.classify_body, "V1ClassifyResponse", "The classes."), _is_classifier,
    ),
    Operation(
        f"/v1/models/{MODEL}:regress", "post", "v1Regress", "A number for each row",
        _v1_body(v1.regress_body, "V1RegressResponse", "The numbers."), _is_regressor,
    ),
)  # fmt: skip
