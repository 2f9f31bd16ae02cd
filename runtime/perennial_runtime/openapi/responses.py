"""Answers: what all of them have in common, and the errors."""

from collections.abc import Sequence
from typing import Any

from .served import Served
from .values import Schema

JSON = "application/json"

ERRORS: dict[str, tuple[str, str]] = {
    "400": ("BadRequest", "The request does not fit; the error names the field, what was expected, "
            "and what came."),
    "404": ("NotFound", "There is no such model, version or path."),
    "413": ("BodyTooLarge", "The body is larger than --max-body-bytes; the connection ends."),
    "415": ("UnsupportedEncoding", "The body is in a Content-Encoding that is not read."),
    "429": ("TooManyRequests", "Too many requests are in flight."),
    "500": ("Failed", "The model failed for a reason that does not lie in the request, such as a "
            "lack of memory."),
    "503": ("Unavailable", "The model is still being loaded."),
}  # fmt: skip
"""Name of the component and what it means, by status."""
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds until it is worth trying again.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
ERROR_SCHEMA: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}


def ref(name: str, kind: str = "schemas") -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def json_of(schema: Schema, description: str) -> dict[str, Any]:
    """An answer, or a request's body, that is JSON."""
    return {"description": description, "content": {JSON: {"schema": schema}}}


def errors(*statuses: str) -> dict[str, Any]:
    """The answers of an operation that are errors."""
    return {status: ref(ERRORS[status][0], "responses") for status in statuses}


def body_errors(served: Served, *more: str) -> dict[str, Any]:
    """The errors of an operation that reads a body and works on it."""
    busy: Sequence[str] = ("429",) if served.limits_load else ()
    return errors(*sorted({"400", "413", "415", "503", *busy, *more}))


def error_responses() -> dict[str, Any]:
    """The components that :func:`errors` refers to."""
    return {
        name: json_of(ref("Error"), text)
        | ({"headers": RETRY_AFTER} if status in ("429", "503") else {})
        for status, (name, text) in ERRORS.items()
    }
