"""What every step that runs in a pod is given: folders, patience, and a plan."""

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from perennial_contracts.wire.outcome import TERMINATION_MESSAGE_PATH
from perennial_contracts.wire.run_plan import PLAN_VARIABLE, TrainingFailure

from ..errors import StepError

LISTED_PROBLEMS = 3
P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True)
class StepOptions:
    """The options of a step, read."""

    folders: dict[str, Path]
    """By name, as they were added."""
    termination_message_path: Path | None
    retry_seconds: float


def add_step_options(parser: argparse.ArgumentParser, folders: Mapping[str, str]) -> None:
    """Adds the flags of a step; ``folders`` are the default paths by name."""
    for name, default in folders.items():
        variable = _variable(name)
        parser.add_argument(f"--{name}", metavar="DIR", help=f"(default: {default}) [{variable}]")
    parser.add_argument(
        "--retry-seconds",
        metavar="SECONDS",
        help="how long an unreachable store is tried again (default: 30) [PERENNIAL_RETRY_SECONDS]",
    )
    parser.add_argument(
        "--termination-message-path",
        metavar="PATH",
        help="where the outcome is written as JSON [PERENNIAL_TERMINATION_MESSAGE_PATH]",
    )


def read_step_options(
    parser: argparse.ArgumentParser,
    given: argparse.Namespace,
    folders: Mapping[str, str],
    environment: Mapping[str, str] = os.environ,
) -> StepOptions:
    """The options for parsed arguments; exits with 2 and a message where they are wrong."""
    retry = given.retry_seconds or environment.get("PERENNIAL_RETRY_SECONDS") or "30"
    if re.fullmatch(r"\d+(\.\d+)?", retry) is None:
        parser.error(f"--retry-seconds: expected seconds such as 5 or 0.5, got {retry!r}")
    path = given.termination_message_path or environment.get("PERENNIAL_TERMINATION_MESSAGE_PATH")
    if path is None and Path(TERMINATION_MESSAGE_PATH).exists():
        path = TERMINATION_MESSAGE_PATH
    return StepOptions(
        folders={
            name: Path(getattr(given, name) or environment.get(_variable(name)) or default)
            for name, default in folders.items()
        },
        termination_message_path=Path(path) if path else None,
        retry_seconds=float(retry),
    )


def read_plan(kind: type[P], environment: Mapping[str, str] = os.environ) -> P:
    """The plan of a step.

    Raises:
        StepError: BadPlan.
    """
    text = environment.get(PLAN_VARIABLE)
    if not text:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"{PLAN_VARIABLE}: expected the plan as JSON, got nothing. The operator sets it; "
            "see docs/trainer.md for a run by hand",
        )
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])) or 'plan'}: {problem['msg']}"
            for problem in error.errors(include_url=False)[:LISTED_PROBLEMS]
        ]
        raise StepError(
            TrainingFailure.BAD_PLAN, f"{PLAN_VARIABLE}: {'; '.join(problems)}"
        ) from error


def _variable(folder: str) -> str:
    return f"PERENNIAL_{folder.upper()}"
