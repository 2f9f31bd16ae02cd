"""The settings of ``prepare``: its part of the parser, and its plan."""

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from perennial_contracts.outcome import TERMINATION_MESSAGE_PATH
from perennial_contracts.preparation import CONVERT, FETCH, PREPARE, PUBLISH, Preparation
from perennial_contracts.training import (
    INPUT_FOLDER,
    OUTPUT_FOLDER,
    PLAN_VARIABLE,
    TrainingFailure,
)

from ..errors import StepError

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
    for name, default in _FOLDERS.items():
        variable = f"PERENNIAL_{name.upper()}"
        sub.add_argument(f"--{name}", metavar="DIR", help=f"(default: {default}) [{variable}]")
    sub.add_argument(
        "--retry-seconds",
        metavar="SECONDS",
        help="how long an unreachable store is tried again (default: 30) [PERENNIAL_RETRY_SECONDS]",
    )
    sub.add_argument(
        "--termination-message-path",
        metavar="PATH",
        help="where the outcome is written as JSON [PERENNIAL_TERMINATION_MESSAGE_PATH]",
    )


def prepare_settings(
    parser: argparse.ArgumentParser,
    given: argparse.Namespace,
    environment: Mapping[str, str] = os.environ,
) -> PrepareSettings:
    """The settings for parsed arguments; exits with 2 and a message where they are wrong."""
    folders = {
        name: Path(getattr(given, name) or environment.get(f"PERENNIAL_{name.upper()}") or default)
        for name, default in _FOLDERS.items()
    }
    retry = given.retry_seconds or environment.get("PERENNIAL_RETRY_SECONDS") or "30"
    if re.fullmatch(r"\d+(\.\d+)?", retry) is None:
        parser.error(f"--retry-seconds: expected seconds such as 5 or 0.5, got {retry!r}")
    path = given.termination_message_path or environment.get("PERENNIAL_TERMINATION_MESSAGE_PATH")
    if path is None and Path(TERMINATION_MESSAGE_PATH).exists():
        path = TERMINATION_MESSAGE_PATH
    return PrepareSettings(
        given.step,
        **folders,
        termination_message_path=Path(path) if path else None,
        retry_seconds=float(retry),
    )


def load_preparation(environment: Mapping[str, str] = os.environ) -> Preparation:
    """The plan.

    Raises:
        StepError: BadPlan.
    """
    text = environment.get(PLAN_VARIABLE)
    if not text:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"{PLAN_VARIABLE}: expected the plan as JSON, got nothing. The operator sets it",
        )
    try:
        return Preparation.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(map(str, problem["loc"])) or "plan"
        raise StepError(
            TrainingFailure.BAD_PLAN, f"{PLAN_VARIABLE}: {field}: {problem['msg']}"
        ) from error
