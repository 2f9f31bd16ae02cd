"""The settings of the commands, as flags and as environment variables; a flag wins."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from perennial_contracts.api.search import CANDIDATES, ONLY_FOR, Budget, Search
from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.formats import FORMATS, Format
from perennial_contracts.wire.modelcard import TaskName
from perennial_contracts.wire.prepare_plan import PREPARE
from perennial_contracts.wire.run_plan import (
    ASSEMBLE,
    HOLDOUT_FOLDER,
    INPUT_FOLDER,
    JUDGE,
    OUTPUT_FOLDER,
    PLAN_VARIABLE,
    TRAIN,
)

from .report.settings import REPORT, ReportSettings, add_report
from .steps.options import add_step_options, read_step_options
from .steps.prepare.settings import PrepareSettings, add_prepare, prepare_settings

STEPS = {
    ASSEMBLE: "gather the rows to learn from and those to judge on",
    TRAIN: "search for a model",
    JUDGE: "convert the model, compare it with the one that serves, publish it if it is better",
}
FIT = "fit"
CONVERT = "convert"
AUTO = "Auto"
FOLDERS = {"input": INPUT_FOLDER, "holdout": HOLDOUT_FOLDER, "output": OUTPUT_FOLDER}


@dataclass(frozen=True)
class StepSettings:
    """What a step of a run is given, beside the plan."""

    step: str
    input: Path
    holdout: Path
    output: Path
    termination_message_path: Path | None
    retry_seconds: float = 30.0


@dataclass(frozen=True)
class FitSettings:
    """What ``fit`` is to do."""

    data: Path
    label: str
    positive: str | None
    search: Search
    budget: Budget
    out: Path


@dataclass(frozen=True)
class ConvertSettings:
    """What ``convert`` is to do."""

    source: Path
    format: Format | None
    """None to find it by content."""
    out: Path
    sample: Path | None
    trusted: bool


def parse(
    arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> StepSettings | FitSettings | ConvertSettings | PrepareSettings | ReportSettings:
    """The settings for some arguments; exits with 2 and a message where they are wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command == PREPARE:
        return prepare_settings(parser, given, environment)
    if given.command == REPORT:
        return ReportSettings(given.card, given.profile, given.out)
    if given.command == FIT:
        return _fit_settings(parser, given)
    if given.command == CONVERT:
        return ConvertSettings(
            given.source,
            None if given.format == AUTO else given.format,
            given.out,
            given.sample,
            given.trusted,
        )
    options = read_step_options(parser, given, FOLDERS, environment)
    return StepSettings(
        given.command,
        **options.folders,
        termination_message_path=options.termination_message_path,
        retry_seconds=options.retry_seconds,
    )


def _fit_settings(parser: argparse.ArgumentParser, given: argparse.Namespace) -> FitSettings:
    kinds = given.candidates.split(",") if given.candidates else None
    allowed = [kind for kind in CANDIDATES if ONLY_FOR.get(kind, given.task) == given.task]
    strange = [kind for kind in kinds or [] if kind not in allowed]
    if strange:
        parser.error(f"--candidates: expected some of {','.join(allowed)}, got {strange[0]!r}")
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="perennial-trainer",
        description="Trains models and judges them, step by step in a Job, or one on this machine.",
        epilog=f"The steps read the plan from {PLAN_VARIABLE}, and each folder from a flag or from "
        "PERENNIAL_INPUT, PERENNIAL_HOLDOUT and PERENNIAL_OUTPUT. Stores are set up by the usual "
        "variables, AWS_*, GOOGLE_*, AZURE_* and HF_*. Exit codes: 0 done, 1 it cannot be done, "
        "2 wrong usage, 3 the store is unreachable (another attempt can help).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for step, text in STEPS.items():
        sub = commands.add_parser(step, help=text, description=f"{text.capitalize()}.")
        add_step_options(sub, FOLDERS)
    add_prepare(commands)
    text = "train a first model from a table and write its bundle"
    fit = commands.add_parser(FIT, help=text, description=f"{text.capitalize()}.")
    fit.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help="a .parquet or .csv file, its rows in the order of time (else --shuffled)",
    )
    fit.add_argument("--label", required=True, metavar="COLUMN", help="the column with the truth")
    fit.add_argument(
        "--positive",
        metavar="LABEL",
        help="of two labels the one that scores are about (default: the last one)",
    )
    fit.add_argument(
        "--metric",
        choices=get_args(MetricName),
        help="what models are compared by (default: f1, and rmse for --task Regression)",
    )
    fit.add_argument(
        "--task",
        choices=get_args(TaskName),
        default="Classification",
        help="what is learnt: classes, or numbers (default: Classification)",
    )
    fit.add_argument(
        "--shuffled",
        action="store_true",
        help="the order of the rows says nothing: what is judged on is drawn at random",
    )
    fit.add_argument(
        "--candidates",
        metavar="A,B",
        help=f"of {','.join(CANDIDATES)} (default: all that the task has and that are installed)",
    )
    fit.add_argument(
        "--max-trials",
        type=int,
        default=10,
        metavar="N",
        help="most models that are tried (default: 10)",
    )
    fit.add_argument(
        "--max-seconds",
        type=int,
        default=600,
        metavar="N",
        help="no further model is tried after this time (default: 600)",
    )
    fit.add_argument(
        "--budget-p95",
        type=int,
        metavar="MICROSECONDS",
        help="most that a row may take as ONNX, in 95 of 100 cases (default: no limit)",
    )
    fit.add_argument(
        "--budget-size",
        metavar="SIZE",
        help="most bytes of the ONNX file, such as 50Mi (default: no limit)",
    )
    fit.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all that is random (default: 0)"
    )
    fit.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the bundle; it must be empty or not exist",
    )
    _add_convert(commands)
    add_report(commands)
    return parser


def _add_convert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "make ONNX of a model that another framework saved, and compare the two"
    convert = commands.add_parser(CONVERT, help=text, description=f"{text.capitalize()}.")
    convert.add_argument("source", type=Path, metavar="SOURCE", help="a file or a directory")
    convert.add_argument(
        "--format", choices=(AUTO, *FORMATS), default=AUTO, help="(default: found by content)"
    )
    convert.add_argument(
        "--sample", type=Path, metavar="FILE", help="a .parquet file of rows to compare on"
    )
    convert.add_argument(
        "--trusted",
        action="store_true",
        help="read pickles and .pt2 files too, which can run anything that they hold",
    )
    convert.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for model.onnx and conversion.json",
    )
