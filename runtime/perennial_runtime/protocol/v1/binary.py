"""Texts as ``{"b64": "..."}``, the form that TensorFlow Serving has for bytes.

ONNX Runtime gives and takes strings as texts in UTF-8: other bytes cannot go into a model.
"""

import base64
from typing import Any

from ..shared.elements import WrongElementError
from ..shared.messages import brief

SUFFIX = "_bytes"
"""Outputs whose names end so are answered in this form."""


def is_binary(value: Any) -> bool:
    """Whether a value of JSON is a text in this form."""
    return type(value) is dict and len(value) == 1 and type(value.get("b64")) is str


def read_texts(values: list[Any]) -> list[Any]:
    """The values with those in this form as texts.

    Raises:
        WrongElementError: for what is no base64, or no UTF-8.
    """
    return [
        _text(place, value["b64"]) if is_binary(value) else value
        for place, value in enumerate(values)
    ]


def write_texts(values: Any) -> Any:
    """Strings, nested in lists or not, in this form."""
    if type(values) is list:
        return [write_texts(value) for value in values]
    return {"b64": base64.b64encode(values.encode()).decode()}


def _text(place: int, encoded: str) -> str:
    try:
        # As TensorFlow Serving does, without the padding too.
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except UnicodeDecodeError:
        problem = "expected base64 of UTF-8, as strings of ONNX models are texts"
    except ValueError:
        problem = "expected base64"
    raise WrongElementError(place, f"b64: {problem}, got {brief(encoded)}")
