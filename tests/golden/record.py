"""Compare values with those that were recorded in data/.

``PERENNIAL_RECORD_GOLDEN=1 pytest tests/golden`` records them. A difference means that a running
cluster would notice the change: an upgrade would restart models or break a client.
"""

import dataclasses
import difflib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
SHOWN_LINES = 80
WIDTH = 100
PERSONAL = frozenset({"description", "title", "summary", "example", "examples"})
"""Keys of a schema that hold texts for people."""


def check(name: str, value: Any) -> None:
    """Fail if a value differs from the one in data/NAME.json."""
    path = DATA / f"{name}.json"
    text = _pretty(value) + "\n"
    if os.environ.get("PERENNIAL_RECORD_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    recorded = path.read_text()
    if text != recorded:
        lines = difflib.unified_diff(
            recorded.splitlines(), text.splitlines(), "recorded", "now", lineterm="", n=6
        )
        shown = "\n".join(list(lines)[:SHOWN_LINES])
        raise AssertionError(f"{path.relative_to(ROOT)} differs:\n{shown}")


def bare(schema: Any) -> Any:
    """Return a JSON schema without the texts for people.

    The properties of an object may themselves be called "title" or "description".
    """
    if isinstance(schema, list):
        return [bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            found[key] = {name: bare(each) for name, each in value.items()}
        elif key == "x-kubernetes-validations":
            found[key] = [{k: v for k, v in rule.items() if k != "message"} for rule in value]
        elif key not in PERSONAL:
            found[key] = bare(value)
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and JSON of each plain value in dataclasses and pydantic models."""
    if dataclasses.is_dataclass(value):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    elif hasattr(value, "model_dump"):
        fields = value.model_dump()
    elif isinstance(value, dict):
        fields = value
    else:
        yield path, value if isinstance(value, int | float | str | None) else _plain(value)
        return
    for name, each in fields.items():
        yield from leaves(each, f"{path}.{name}")


def _pretty(value: Any, depth: int = 0) -> str:
    """Return JSON with everything on one line that fits there."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(line) + depth <= WIDTH or not isinstance(value, dict | list):
        return line
    if isinstance(value, list):
        parts = [_pretty(each, depth + 1) for each in value]
    else:
        parts = [f"{json.dumps(key)}: {_pretty(each, depth + 1)}" for key, each in _sorted(value)]
    inner = "\n" + " " * (depth + 1)
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return f"{opening}{inner}{f',{inner}'.join(parts)}\n{' ' * depth}{closing}"


def _sorted(value: dict[Any, Any]) -> list[tuple[str, Any]]:
    return sorted(((str(key), each) for key, each in value.items()), key=lambda pair: pair[0])


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else str(value)
