"""All routes that a document can tell of. A server asks for those that it serves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from . import rows, tensors, v1
from .responses import body_errors, errors, json_of, ref
from .served import Served
from .values import Schema

MODEL = "{MODEL}"
"""Stands for the model's name in a path."""
VERSION = "{version}"
Parts = dict[str, Any]


def _always(served: Served) -> bool:
    return True


@dataclass(frozen=True)
class Route:
    """A path with a method, and how to describe them."""

    path: str
    method: str
    key: str
    """The operation's id."""
    summary: str
    parts: Callable[[Served], Parts]
    """What the operation has besides its id and its summary."""
    exists: Callable[[Served], bool] = _always
    """Whether a model has it."""


def _json(schema: Schema, text: str, *statuses: str) -> Callable[[Served], Parts]:
    return lambda served: {"responses": {"200": json_of(schema, text), **errors(*statuses)}}


def _text(kind: str, text: str, *statuses: str) -> Callable[[Served], Parts]:
    content = {kind: {"schema": {"type": "string"}}}
    answer = {"200": {"description": text, "content": content}}
    return lambda served: {"responses": answer | errors(*statuses)}


def _page(served: Served) -> Parts:
    alive = {"type": "object", "properties": {"status": {"const": "alive"}}, "required": ["status"]}
    content = {"text/html": {"schema": {"type": "string"}}, "application/json": {"schema": alive}}
    text = "The page, for those who accept text/html; else that the server is alive."
    return {"responses": {"200": {"description": text, "content": content}}}


def _readiness(name: str) -> Callable[[Served], Parts]:
    return lambda served: {
        "responses": {
            "200": json_of(ref(name), "Ready."),
            "503": json_of(ref(name), "Not ready: still loading, or about to end."),
        }
    }


def _infer(served: Served) -> Parts:
    return {
        "requestBody": tensors.request_body(served),
        "responses": {"200": tensors.answer(served), **body_errors(served, "500")},
    }


def _predict(served: Served) -> Parts:
    answer = json_of(ref("PredictResponse"), "A prediction for each row.")
    if served.classes or served.is_regression:
        answer["links"] = rows.feedback_link(served, "feedback")
    return {
        "requestBody": rows.predict_body(served),
        "responses": {"200": answer, **body_errors(served, "500")},
    }


def _feedback(served: Served) -> Parts:
    content = {"application/json": {"schema": ref("FeedbackRequest")}}
    taken = json_of(ref("FeedbackResponse"), "At least one label was accepted.")
    refused = {"anyOf": [ref("Error"), ref("FeedbackResponse")]}
    return {
        "requestBody": {"required": True, "content": content},
        "responses": {
            **body_errors(served),
            "200": taken,
            "400": json_of(refused, "No label was accepted; with the reason for each."),
        },
    }


def _v1_body(body: Callable[[Served], Parts], answer: str, text: str) -> Callable[[Served], Parts]:
    return lambda served: {
        "requestBody": body(served),
        "responses": {"200": json_of(ref(answer), text), **body_errors(served, "500")},
    }


def _is_tabular(served: Served) -> bool:
    return served.is_tabular


def _is_profiled(served: Served) -> bool:
    return served.profile is not None


def _is_classifier(served: Served) -> bool:
    return served.is_tabular and served.classes is not None


def _is_regressor(served: Served) -> bool:
    if not served.is_tabular or len(served.outputs) != 1:
        return False
    (output,) = served.outputs
    return output.is_column and output.dtype.kind in "fiu"


def _with_versions(*routes: Route) -> tuple[Route, ...]:
    """The routes of a model, and the same of a version of it."""

    def versioned(route: Route) -> Route:
        def parts(served: Served) -> Parts:
            known = {"type": "string", "enum": ["1", served.version]}
            version = {
                "name": "version", "in": "path", "required": True, "schema": known,
                "description": "The first digits of the model's digest; 1 is the same.",
            }  # fmt: skip
            described = route.parts(served)
            described["parameters"] = [version, *described.get("parameters", ())]
            described["responses"] = {**described["responses"], **errors("404")}
            return described

        path = route.path.replace(MODEL, f"{MODEL}/versions/{VERSION}")
        return replace(route, path=path, key=f"{route.key}OfVersion", parts=parts)

    return (*routes, *map(versioned, routes))


FRONT_ROUTES = (
    Route("/", "get", "page", "A page for people", _page),
    Route(
        "/openapi.json", "get", "openapi", "This document",
        _json({"type": "object"}, "OpenAPI 3.1.", "503"),
    ),
    Route("/metrics", "get", "metrics", "For Prometheus", _text("text/plain", "The metrics.")),
)  # fmt: skip

V2_ROUTES = (
    Route("/v2", "get", "server", "The server", _json(ref("ServerMetadata"), "What it is.")),
    Route(
        "/v2/health/live", "get", "live", "Whether the process is up",
        _json(ref("Health"), "It is."),
    ),
    Route(
        "/v2/health/ready", "get", "ready", "Whether the model answers", _readiness("Health")
    ),
    *_with_versions(
        Route(
            f"/v2/models/{MODEL}", "get", "metadata", "The model's signature",
            _json(ref("ModelMetadata"), "Its inputs, outputs and properties.", "503"),
        ),
        Route(
            f"/v2/models/{MODEL}/ready", "get", "modelReady", "Whether the model answers",
            _readiness("ModelReady"),
        ),
        Route(f"/v2/models/{MODEL}/infer", "post", "infer", "Tensors in, tensors out", _infer),
        Route(
            f"/v2/models/{MODEL}/predict", "post", "predict", "Predictions for rows of a table",
            _predict, _is_tabular,
        ),
        Route(
            f"/v2/models/{MODEL}/feedback", "post", "feedback", "The truth about predictions",
            _feedback, _is_tabular,
        ),
        Route(
            f"/v2/models/{MODEL}/counters", "get", "counters", "What was predicted so far",
            _json(ref("Counters"), "Counts over the bins of the profile.", "503"),
        ),
        Route(
            f"/v2/models/{MODEL}/profile", "get", "profile", "The drift profile",
            _json(ref("Profile"), "As it lies in the bundle.", "503"), _is_profiled,
        ),
    ),
)  # fmt: skip

V1_ROUTES = (
    Route("/v1/models", "get", "v1Models", "The models", _json(ref("V1Models"), "Their names.")),
    Route(
        f"/v1/models/{MODEL}", "get", "v1Model", "The model's state",
        _json(ref("V1Model"), "Its state.", "503"),
    ),
    Route(
        f"/v1/models/{MODEL}/metadata", "get", "v1Metadata", "The model's signature",
        _json(ref("V1Metadata"), "As TensorFlow Serving has it.", "503"),
    ),
    Route(
        f"/v1/models/{MODEL}:predict", "post", "v1Predict", "Predictions as TensorFlow Serving's",
        _v1_body(v1.predict_body, "V1PredictResponse", "The predictions."),
    ),
    Route(
        f"/v1/models/{MODEL}:classify", "post", "v1Classify", "Classes with their scores",
        _v1_body(v1.classify_body, "V1ClassifyResponse", "The classes."), _is_classifier,
    ),
    Route(
        f"/v1/models/{MODEL}:regress", "post", "v1Regress", "A number for each row",
        _v1_body(v1.regress_body, "V1RegressResponse", "The numbers."), _is_regressor,
    ),
)  # fmt: skip
