"""The settings of ``prepare``: its part of the parser."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from perennial_contracts.wire.prepare_plan import CONVERT, FETCH, PREPARE, PUBLISH
from perennial_contracts.wire.run_plan import INPUT_FOLDER, OUTPUT_FOLDER

from ..options import add_step_options, read_step_options

_FOLDERS = {"input": INPUT_FOLDER, "output": OUTPUT_FOLDER}


@dataclass(frozen=True)
class PrepareSettings:
    """What a step is given, beside the plan."""

    step: str
    input: Path
    output: Path
    termination_message_path: Path | None
    retry_seconds: float = 30.0


def add_prepare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the program's."""
    text = "make a bundle of what a framework saved"
    sub = commands.add_parser(PREPARE, help=text, description=f"{text.capitalize()}.")
    sub.add_argument(
        "--step",
        required=True,
        choices=(FETCH, CONVERT, PUBLISH),
        help=f"{FETCH} the artifact; {CONVERT} it, without network; {PUBLISH} the bundle",
    )
    add_step_options(sub, _FOLDERS)


def prepare_settings(
    parser: argparse.ArgumentParser,
    given: argparse.Namespace,
    environment: Mapping[str, str] = os.environ,
) -> PrepareSettings:
    """The settings for parsed arguments; exits with 2 and a message where they are wrong."""
    options = read_step_options(parser, given, _FOLDERS, environment)
    return PrepareSettings(
        given.step,
        **options.folders,
        termination_message_path=options.termination_message_path,
        retry_seconds=options.retry_seconds,
    )
