"""Values and names in error messages, shortened."""

import math
from collections.abc import Iterable
from typing import Any

import orjson

_MAX_CHARACTERS = 80
_MAX_NAMES = 12


def brief(value: Any) -> str:
    """Return a value as JSON, as far as that is possible."""
    if value is None:
        return "nothing"
    if type(value) is float and not math.isfinite(value):
        return str(value)
    try:
        text = orjson.dumps(value, default=str).decode()
    except orjson.JSONEncodeError:  # orjson reads deeper nesting than it writes
        return f"a {type(value).__name__} that is nested too deeply"
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 3]}..."


def quoted(names: Iterable[str]) -> str:
    """Return names in quotes, separated by commas."""
    return listing(repr(name) for name in names)


def listing(names: Iterable[str]) -> str:
    """Return names separated by commas."""
    listed = list(names)
    return ", ".join(listed if len(listed) <= _MAX_NAMES else [*listed[:_MAX_NAMES], "..."])
