"""Values and names in messages, cut where they are long."""

from collections.abc import Iterable
from typing import Any

import orjson

_LENGTH = 80
_NAMES = 12


def brief(value: Any) -> str:
    """A value as JSON."""
    if value is None:
        return "nothing"
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


def quoted(names: Iterable[str]) -> str:
    """Names in quotes, separated by commas."""
    return listing(repr(name) for name in names)


def listing(names: Iterable[str]) -> str:
    """Names separated by commas."""
    listed = list(names)
    return ", ".join(listed if len(listed) <= _NAMES else [*listed[:_NAMES], "..."])
