"""Settings of a program: flags, variables and documentation from one table.

A program lists its settings once::

    SETTINGS = (
        Setting("http-port", port, 8080, "port to listen on; 0 picks a free one"),
        Setting("log-format", one_of("auto", "json", "text"), "auto", "format of the log"),
    )

``--http-port`` and ``PERENNIAL_HTTP_PORT`` then set the port, and the flag wins. An empty variable
counts as unset; for a required setting, it is an empty value.

pydantic-settings does the same. It is not used because it costs the runtime 14 MB of memory and
0.35 s of each start.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "PERENNIAL_"


@dataclass(frozen=True)
class Setting:
    """One setting of a program."""

    flag: str
    """Name of the flag without its dashes, such as ``http-port``."""
    type: Callable[[str], Any]
    """Converts the text. Its ValueError states the expected and the received value."""
    default: Any
    help: str
    required: bool = False
    """True if the program does not run without a value."""
    shown_default: str | None = None
    """Text for the help if the default is computed later, such as "the CPU limit"."""

    @property
    def key(self) -> str:
        """The flag as a Python name."""
        return self.flag.replace("-", "_")

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return f"{PREFIX}{self.key.upper()}"

    @property
    def default_text(self) -> str:
        """The default for the help and the documentation; empty if there is none."""
        if self.shown_default is not None:
            return self.shown_default
        if self.required:
            return "required"
        if isinstance(self.default, bool):
            return str(self.default).lower()
        if isinstance(self.default, float):
            return f"{self.default:g}"
        return "" if self.default is None else str(self.default)


def add_settings(
    parser: argparse.ArgumentParser,
    settings: Iterable[Setting],
    environment: Mapping[str, str],
) -> None:
    """Add a flag for each setting; a required one may come from its variable."""
    for setting in settings:
        default = f" (default: {setting.default_text})" if setting.default_text else ""
        if setting.required:
            default = " (required)"
        parser.add_argument(
            f"--{setting.flag}",
            metavar=setting.key.upper().rpartition("_")[2],
            required=setting.required and setting.variable not in environment,
            help=f"{setting.help}{default} [{setting.variable}]".replace("%", "%%"),
        )


def read_settings(
    parser: argparse.ArgumentParser,
    arguments: argparse.Namespace,
    settings: Iterable[Setting],
    environment: Mapping[str, str],
) -> dict[str, Any]:
    """Return the values by key: the flag, else the variable, else the default.

    Exits with 2 and a message if a value is invalid.
    """
    values = {}
    for setting in settings:
        source, text = f"--{setting.flag}", getattr(arguments, setting.key)
        if text is None:
            source, text = setting.variable, environment.get(setting.variable)
            if not text and not setting.required:
                text = None
        try:
            values[setting.key] = setting.default if text is None else setting.type(text)
        except ValueError as error:
            parser.error(f"{source}: {error}")
    return values


def settings_table(settings: Iterable[Setting]) -> str:
    """Return the settings as a table in Markdown."""
    rows = [("flag", "variable", "default", "description"), ("---",) * 4]
    rows += [
        (f"`--{each.flag}`", f"`{each.variable}`", each.default_text, each.help)
        for each in settings
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def integer(text: str) -> int:
    """Convert a whole number of either sign."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, got {text!r}") from None


def non_negative_integer(text: str) -> int:
    """Convert a whole number from 0."""
    if not text.isdecimal():
        raise ValueError(f"expected a whole number from 0 up, got {text!r}")
    return int(text)


def positive_integer(text: str) -> int:
    """Convert a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"expected a whole number from 1 up, got {text!r}")
    return int(text)


def port(text: str) -> int:
    """Convert a port number.

    Kubernetes sets variables such as PERENNIAL_HTTP_PORT=tcp://10.0.0.1:80 for a Service with the
    name "perennial-http"; the message shows the value.
    """
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"expected a port number from 0 to 65535, got {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """Convert a duration in seconds."""
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise ValueError(f"expected seconds such as 5 or 0.5, got {text!r}")
    return float(text)


def boolean(text: str) -> bool:
    """Convert ``true`` or ``false``."""
    if text not in ("true", "false"):
        raise ValueError(f"expected true or false, got {text!r}")
    return text == "true"


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a converter that accepts some words only."""

    def convert(text: str) -> str:
        if text not in choices:
            expected = f"{', '.join(choices[:-1])} or {choices[-1]}"
            raise ValueError(f"expected {expected}, got {text!r}")
        return text

    return convert
