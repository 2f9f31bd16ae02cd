"""Settings of the commands: flags, and for the steps also variables.

If both are set, the flag applies.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError

from perennial_contracts.api.search import CANDIDATES, ONLY_FOR, Budget, Search
from perennial_contracts.settings import Setting, add_settings, read_settings, seconds
from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.formats import FORMATS, Format
from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.outcome import TERMINATION_MESSAGE_PATH
from perennial_contracts.wire.prepare_plan import CONVERT as CONVERT_STAGE
from perennial_contracts.wire.prepare_plan import FETCH, PREPARE, PUBLISH
from perennial_contracts.wire.run_plan import (
    ASSEMBLE,
    HOLDOUT_FOLDER,
    INPUT_FOLDER,
    JUDGE,
    OUTPUT_FOLDER,
    PLAN_VARIABLE,
    TRAIN,
    TrainingFailure,
)

from .errors import StepError
from .report.settings import REPORT, ReportSettings, add_report

STEPS = {
    ASSEMBLE: "gather the rows to train on and the held-out rows",
    TRAIN: "search for a model",
    JUDGE: "convert the model, compare it with the champion, and publish it if it is better",
}
FIT = "fit"
CONVERT = "convert"
AUTO = "Auto"
LISTED_PROBLEMS = 3

_INPUT = Setting("input", Path, Path(INPUT_FOLDER), "folder with the input of the step")
_HOLDOUT = Setting("holdout", Path, Path(HOLDOUT_FOLDER), "folder with the held-out rows")
_OUTPUT = Setting("output", Path, Path(OUTPUT_FOLDER), "folder for the result of the step")
_IN_POD = (
    Setting("retry-seconds", seconds, 30.0, "time to retry if the store is unreachable"),
    Setting(
        "termination-message-path",
        Path,
        None,
        "file for the outcome, as JSON",
        shown_default=f"{TERMINATION_MESSAGE_PATH}, if it exists",
    ),
)
STEP_SETTINGS = (_INPUT, _HOLDOUT, _OUTPUT, *_IN_POD)
"""Settings of assemble, train and judge."""
PREPARE_SETTINGS = (_INPUT, _OUTPUT, *_IN_POD)
"""Settings of prepare."""


@dataclass(frozen=True)
class StepSettings:
    """Settings of a step of a run, beside its plan."""

    step: str
    input: Path
    holdout: Path
    output: Path
    termination_message_path: Path | None
    retry_seconds: float = 30.0


@dataclass(frozen=True)
class PrepareSettings:
    """Settings of a stage of prepare, beside its plan."""

    step: str
    input: Path
    output: Path
    termination_message_path: Path | None
    retry_seconds: float = 30.0


@dataclass(frozen=True)
class FitSettings:
    """Settings of ``fit``."""

    data: Path
    label: str
    positive: str | None
    search: Search
    budget: Budget
    out: Path


@dataclass(frozen=True)
class ConvertSettings:
    """Settings of ``convert``."""

    source: Path
    format: Format | None
    """None to detect it by content."""
    out: Path
    sample: Path | None
    trusted: bool


Settings = StepSettings | PrepareSettings | FitSettings | ConvertSettings | ReportSettings
P = TypeVar("P", bound=BaseModel)


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings. Exits with 2 and a message if one is invalid."""
    parser = _parser(environment)
    given = parser.parse_args(arguments)
    if given.command == REPORT:
        return ReportSettings(given.card, given.profile, given.out)
    if given.command == FIT:
        return _fit_settings(parser, given)
    if given.command == CONVERT:
        format_ = None if given.format == AUTO else given.format
        return ConvertSettings(given.source, format_, given.out, given.sample, given.trusted)
    table = PREPARE_SETTINGS if given.command == PREPARE else STEP_SETTINGS
    # An empty flag counts as unset, as an empty variable does.
    for setting in table:
        setattr(given, setting.key, getattr(given, setting.key) or None)
    values = read_settings(parser, given, table, environment)
    default_path = Path(TERMINATION_MESSAGE_PATH)
    if values["termination_message_path"] is None and default_path.exists():
        values["termination_message_path"] = default_path
    if given.command == PREPARE:
        return PrepareSettings(given.step, **values)
    return StepSettings(given.command, **values)


def read_plan(kind: type[P], environment: Mapping[str, str] = os.environ) -> P:
    """Return the plan of a step, from its variable.

    Raises:
        StepError: BadPlan.
    """
    text = environment.get(PLAN_VARIABLE)
    if not text:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            "expected the plan as JSON, got nothing",
            field=PLAN_VARIABLE,
            hint="The operator sets it; docs/trainer.md describes a run by hand",
        )
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])) or 'plan'}: {problem['msg']}"
            for problem in error.errors(include_url=False)[:LISTED_PROBLEMS]
        ]
        raise StepError(
            TrainingFailure.BAD_PLAN, "; ".join(problems), field=PLAN_VARIABLE
        ) from error


def _fit_settings(parser: argparse.ArgumentParser, given: argparse.Namespace) -> FitSettings:
    kinds = given.candidates.split(",") if given.candidates else None
    allowed = [kind for kind in CANDIDATES if ONLY_FOR.get(kind, given.task) == given.task]
    wrong = [kind for kind in kinds or [] if kind not in allowed]
    if wrong:
        parser.error(f"--candidates: expected some of {','.join(allowed)}, got {wrong[0]!r}")
    try:
        search = Search(
            task=given.task,
            **({"metric": given.metric} if given.metric else {}),
            candidates=kinds,
            order="Shuffled" if given.shuffled else "TimeOrdered",
            seed=given.seed,
            maxTrials=given.max_trials,
            maxSeconds=given.max_seconds,
        )
        budget = Budget(p95Microseconds=given.budget_p95, sizeBytes=given.budget_size)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        text = problem["msg"].removeprefix("Value error, ")
        parser.error(": ".join((*map(str, problem["loc"]), text)))
    return FitSettings(given.data, given.label, given.positive, search, budget, given.out)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="perennial-trainer",
        description="Train and judge models: step by step in a Job, or in one command.",
        epilog=f"The steps read their plan from {PLAN_VARIABLE}. Each of their flags is an "
        "environment variable too: --input is PERENNIAL_INPUT. A flag wins over its variable. The "
        "usual variables configure stores: AWS_*, GOOGLE_*, AZURE_*, HF_*. Exit codes: 0 success, "
        "1 failure, 2 invalid usage, 3 the store is unreachable (a retry can help).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for step, text in STEPS.items():
        sub = commands.add_parser(step, help=text, description=f"{text.capitalize()}.")
        add_settings(sub, STEP_SETTINGS, environment)
    text = "make a bundle of a model that a framework saved"
    prepare = commands.add_parser(PREPARE, help=text, description=f"{text.capitalize()}.")
    prepare.add_argument(
        "--step",
        required=True,
        choices=(FETCH, CONVERT_STAGE, PUBLISH),
        help=f"{FETCH}: download the artifact; {CONVERT_STAGE}: make the bundle, without network; "
        f"{PUBLISH}: upload it",
    )
    add_settings(prepare, PREPARE_SETTINGS, environment)
    _add_fit(commands)
    _add_convert(commands)
    add_report(commands)
    return parser


def _add_fit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "train a first model on a table and write its bundle"
    fit = commands.add_parser(FIT, help=text, description=f"{text.capitalize()}.")
    fit.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help="a .parquet or .csv file with its rows in the order of time (or use --shuffled)",
    )
    fit.add_argument("--label", required=True, metavar="COLUMN", help="column with the truth")
    fit.add_argument(
        "--positive",
        metavar="LABEL",
        help="the one of two labels that scores are about (default: the last)",
    )
    fit.add_argument(
        "--metric",
        choices=get_args(MetricName),
        help="metric to compare models by (default: f1, with --task Regression rmse)",
    )
    fit.add_argument(
        "--task",
        choices=get_args(TaskName),
        default="Classification",
        help="predict classes or numbers (default: Classification)",
    )
    fit.add_argument(
        "--shuffled",
        action="store_true",
        help="the rows have no order: draw the held-out rows at random",
    )
    fit.add_argument(
        "--candidates",
        metavar="A,B",
        help=f"kinds to try, of {','.join(CANDIDATES)} (default: all that are installed and have "
        "the task)",
    )
    fit.add_argument(
        "--max-trials",
        type=int,
        default=10,
        metavar="N",
        help="maximum number of models to try (default: 10)",
    )
    fit.add_argument(
        "--max-seconds",
        type=int,
        default=600,
        metavar="N",
        help="time after which no further model is tried (default: 600)",
    )
    fit.add_argument(
        "--budget-p95",
        type=int,
        metavar="MICROSECONDS",
        help="maximum time of a row as ONNX, at the 95th percentile (default: no limit)",
    )
    fit.add_argument(
        "--budget-size",
        metavar="SIZE",
        help="maximum size of the ONNX file, such as 50Mi (default: no limit)",
    )
    fit.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of all random choices (default: 0)"
    )
    fit.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the bundle; it must be empty or not exist",
    )


def _add_convert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "convert a model of another framework to ONNX and compare the two"
    convert = commands.add_parser(CONVERT, help=text, description=f"{text.capitalize()}.")
    convert.add_argument("source", type=Path, metavar="SOURCE", help="a file or a directory")
    convert.add_argument(
        "--format", choices=(AUTO, *FORMATS), default=AUTO, help="(default: detected by content)"
    )
    convert.add_argument(
        "--sample", type=Path, metavar="FILE", help="a .parquet file with rows to compare on"
    )
    convert.add_argument(
        "--trusted",
        action="store_true",
        help="read pickles and .pt2 files too, which can run any code",
    )
    convert.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for model.onnx and conversion.json",
    )
