"""Values and names in messages, cut where they are long."""

import math
from collections.abc import Iterable
from typing import Any

import orjson

_LENGTH = 80
_NAMES = 12


def brief(value: Any) -> str:
    """A value as JSON, as far as it can be."""
    if value is None:
        return "nothing"
    if type(value) is float and not math.isfinite(value):
        return str(value)
    try:
        text = orjson.dumps(value, default=str).decode()
    except orjson.JSONEncodeError:  # what it reads may be nested deeper than what it writes
        return f"a {type(value).__name__} that is nested too deeply"
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


def quoted(names: Iterable[str]) -> str:
    """Names in quotes, separated by commas."""
    return listing(repr(name) for name in names)


def listing(names: Iterable[str]) -> str:
    """Names separated by commas."""
    listed = list(names)
    return ", ".join(listed if len(listed) <= _NAMES else [*listed[:_NAMES], "..."])
