"""Flags and environment variables of a program.

Nothing here depends on how a program declares its settings: the parser that it makes is caught,
and each flag and variable is tried with values of many kinds.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from unittest import mock

from golden.record import leaves

Parse = Callable[[list[str], Mapping[str, str]], Any]
DIGEST = "sha256:" + "a" * 64
PROBES = (
    "7", "0.5", "-1", "70000", "true", "false", "auto", "text", "some/path", "a,b", "s3://b/p/",
    DIGEST, "cpu", "json", "native", "portable", "debug", "50Mi",
)  # fmt: skip


class _CaughtError(Exception):
    """Ends a program once its parser is made."""


def parser_of(parse: Parse) -> argparse.ArgumentParser:
    """Return the parser that a program makes."""
    caught = []

    def catch(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        caught.append(parser)
        raise _CaughtError

    with mock.patch.object(argparse.ArgumentParser, "parse_args", catch), suppress(_CaughtError):
        parse([], {})
    return caught[0]


def flags(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Return the flags, the positional arguments and the commands of a parser."""
    found: dict[str, Any] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                found[name] = flags(command)
        elif not isinstance(action, argparse._HelpAction):
            name = " ".join(action.option_strings) or f"argument {len(found) + 1}"
            found[name] = {
                "choices": sorted(action.choices) if action.choices else None,
                "nargs": action.nargs,
                "required": action.required,
            }
    return found


def variables(parse: Parse, arguments: list[str]) -> list[str]:
    """Return the variables of Perennial's that a program reads for some arguments."""
    read: set[str] = set()

    class Watched(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            return super().get(key, default)

        def __getitem__(self, key: str) -> str:
            read.add(key)
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            read.add(str(key))
            return super().__contains__(key)

    settled(parse, arguments, Watched())
    return sorted(name for name in read if name.startswith("PERENNIAL_"))


def settled(parse: Parse, arguments: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings as plain values; none if the program refuses them."""
    code: object = None
    try:
        settings = parse(arguments, environment)
    except SystemExit as error:
        code = error.code
    else:
        return {path: _without_user(value) for path, value in leaves(settings)}
    assert code == 2
    return {}


def effects(parse: Parse, arguments: list[str], *, variable: str = "", flag: str = "") -> Any:
    """Return a setting's default and the result of each probe, as BEFORE -> AFTER."""
    given = [each for each in arguments if not each.startswith(f"{flag}=")] if flag else arguments
    before = settled(parse, arguments, {})
    found: dict[str, Any] = {}
    as_text, refused = [], []
    for probe in PROBES:
        if variable:
            after = settled(parse, _without(arguments, variable), {variable: probe})
        else:
            after = settled(parse, [*given, f"{flag}={probe}"], {})
        changed = [[before.get(k), v] for k, v in after.items() if v != before.get(k)]
        if not after:
            refused.append(probe)
        elif [new for _, new in changed] == [probe]:
            as_text.append(probe)
            found["default"] = changed[0][0]
        elif changed:
            found[probe] = "; ".join(sorted(f"{old!r} -> {new!r}" for old, new in changed))
    return found | {
        "as text": " ".join(as_text).replace(DIGEST, "DIGEST"),
        "refused": " ".join(refused).replace(DIGEST, "DIGEST"),
    }


def _without(arguments: list[str], variable: str) -> list[str]:
    """Return the arguments without the flag that would win over a variable."""
    flag = "--" + variable.removeprefix("PERENNIAL_").replace("_", "-").lower() + "="
    return [each for each in arguments if not each.startswith(flag)]


def _without_user(value: Any) -> Any:
    """Return a default path without the user who runs the test."""
    if not isinstance(value, str):
        return value
    return value.replace(f"{tempfile.gettempdir()}/perennial-{os.getuid()}", "TMP/perennial-UID")
