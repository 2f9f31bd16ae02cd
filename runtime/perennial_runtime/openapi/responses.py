"""Parts that all responses share, and the errors."""

from typing import Any

from .values import Schema

JSON = "application/json"

ERRORS: dict[str, tuple[str, str]] = {
    "400": ("BadRequest", "The request does not fit. The error names the field, and the expected "
            "and the actual value."),
    "404": ("NotFound", "The model, the version or the path does not exist."),
    "413": ("BodyTooLarge", "The body is larger than --max-body-bytes. The server closes the "
            "connection."),
    "415": ("UnsupportedEncoding", "The server does not support the Content-Encoding of the body."),
    "429": ("TooManyRequests", "Too many requests are in flight."),
    "500": ("Failed", "The model failed for a reason outside of the request, such as a lack of "
            "memory."),
    "503": ("Unavailable", "The model is still loading."),
}  # fmt: skip
"""Name of the component and its description, by status."""
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait before a retry.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
ERROR_SCHEMA: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}


def ref(name: str, kind: str = "schemas") -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def json_of(schema: Schema, description: str) -> dict[str, Any]:
    """Return the description of a response, or of a request's body, in JSON."""
    return {"description": description, "content": {JSON: {"schema": schema}}}


def errors(*statuses: str) -> dict[str, Any]:
    """Return the error responses of an operation."""
    return {status: ref(ERRORS[status][0], "responses") for status in statuses}


def body_errors(*more: str) -> dict[str, Any]:
    """Return the error responses of an operation that reads a body."""
    return errors(*sorted({"400", "413", "415", "429", "503", *more}))


def error_responses() -> dict[str, Any]:
    """Return the components that :func:`errors` refers to."""
    return {
        name: json_of(ref("Error"), text)
        | ({"headers": RETRY_AFTER} if status in ("429", "503") else {})
        for status, (name, text) in ERRORS.items()
    }
