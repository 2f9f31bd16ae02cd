"""A table of settings becomes flags, variables and documentation."""

import argparse
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.settings import (
    Setting,
    add_settings,
    boolean,
    integer,
    non_negative_integer,
    one_of,
    port,
    positive_integer,
    read_settings,
    seconds,
    settings_table,
)

TABLE = (
    Setting("http-port", port, 8080, "port to listen on"),
    Setting("name", str, None, "100 % free text", shown_default="from the URI"),
    Setting("verbose", boolean, False, "log more"),
)


def read(
    arguments: list[str],
    environment: Mapping[str, str],
    settings: tuple[Setting, ...] = TABLE,
) -> dict[str, Any]:
    parser = argparse.ArgumentParser("program")
    add_settings(parser, settings, environment)
    return read_settings(parser, parser.parse_args(arguments), settings, environment)


def test_without_flags_and_variables_the_defaults_apply() -> None:
    assert read([], {}) == {"http_port": 8080, "name": None, "verbose": False}


def test_a_flag_wins_over_its_variable() -> None:
    environment = {"PERENNIAL_HTTP_PORT": "9000", "PERENNIAL_VERBOSE": "true"}
    values = read(["--http-port", "9001"], environment)
    assert (values["http_port"], values["verbose"]) == (9001, True)


def test_an_empty_variable_counts_as_unset() -> None:
    assert read([], {"PERENNIAL_HTTP_PORT": ""})["http_port"] == 8080


@pytest.mark.parametrize(
    ("arguments", "environment", "source"),
    [
        (["--http-port", "x"], {}, "--http-port"),
        ([], {"PERENNIAL_HTTP_PORT": "x"}, "PERENNIAL_HTTP_PORT"),
    ],
)
def test_the_message_names_the_source_of_an_invalid_value(
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    environment: Mapping[str, str],
    source: str,
) -> None:
    with pytest.raises(SystemExit) as stop:
        read(arguments, environment)
    assert stop.value.code == 2
    expected = f"{source}: expected a port number from 0 to 65535, got 'x'"
    assert expected in capsys.readouterr().err


def test_a_required_setting_needs_a_flag_or_a_variable() -> None:
    settings = (Setting("image", str, None, "image to run", required=True),)
    with pytest.raises(SystemExit):
        read([], {}, settings)
    assert read([], {"PERENNIAL_IMAGE": "a"}, settings) == {"image": "a"}
    assert read(["--image", "b"], {}, settings) == {"image": "b"}
    assert settings_table(settings).endswith("| required | image to run |\n")


def test_a_required_setting_may_be_empty_on_purpose() -> None:
    settings = (Setting("image", str, None, "image to run", required=True),)
    assert read([], {"PERENNIAL_IMAGE": ""}, settings) == {"image": ""}
    assert read(["--image", ""], {"PERENNIAL_IMAGE": "a"}, settings) == {"image": ""}


def test_help_shows_flag_variable_and_default() -> None:
    parser = argparse.ArgumentParser("program")
    add_settings(parser, TABLE, {})
    text = " ".join(parser.format_help().split())
    assert "--http-port PORT port to listen on (default: 8080) [PERENNIAL_HTTP_PORT]" in text
    assert "100 % free text (default: from the URI) [PERENNIAL_NAME]" in text
    assert "log more (default: false)" in text


def test_the_table_has_a_row_for_each_setting() -> None:
    lines = settings_table(TABLE).splitlines()
    assert lines[0] == "| flag | variable | default | description |"
    assert lines[2] == "| `--http-port` | `PERENNIAL_HTTP_PORT` | 8080 | port to listen on |"
    assert len(lines) == 2 + len(TABLE)


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (integer, "-1", -1),
        (non_negative_integer, "0", 0),
        (positive_integer, "1", 1),
        (port, "65535", 65535),
        (seconds, "0.5", 0.5),
        (boolean, "false", False),
        (one_of("a", "b", "c"), "b", "b"),
    ],
)
def test_a_valid_value_is_converted(convert: Any, text: str, value: object) -> None:
    assert convert(text) == value


@pytest.mark.parametrize(
    ("convert", "text", "expected"),
    [
        (integer, "1.5", "a whole number"),
        (non_negative_integer, "-1", "a whole number from 0 up"),
        (positive_integer, "0", "a whole number from 1 up"),
        (port, "65536", "a port number from 0 to 65535"),
        (seconds, "-1", "seconds such as 5 or 0.5"),
        (boolean, "True", "true or false"),
        (one_of("a", "b", "c"), "d", "a, b or c"),
    ],
)
def test_an_invalid_value_is_rejected_with_the_expected_one(
    convert: Any, text: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"expected {expected}, got '{text}'"):
        convert(text)


@pytest.mark.parametrize(
    "convert", [integer, non_negative_integer, positive_integer, port, seconds, boolean]
)
@given(text=st.text())
def test_a_converter_fails_with_the_expected_value_only(convert: Any, text: str) -> None:
    with contextlib.suppress(ValueError):
        convert(text)
