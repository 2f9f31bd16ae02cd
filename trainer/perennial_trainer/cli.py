"""The program ``perennial-trainer``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_contracts.wire.run_plan import ASSEMBLE, TRAIN, Plan, TrainingResult
from perennial_storage.errors import StorageError

from .errors import StepError
from .log import log_error, print_records
from .report.settings import ReportSettings
from .settings import ConvertSettings, FitSettings, StepSettings, parse
from .steps.options import read_plan
from .steps.prepare.settings import PrepareSettings
from .threads import allowed, settle_openmp


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    settings = parse(sys.argv[1:] if arguments is None else arguments)
    print_records()
    message_path = None
    if isinstance(settings, StepSettings | PrepareSettings):
        message_path = settings.termination_message_path
    try:
        result = _run(settings)
    except (StepError, StorageError) as error:
        failure = StepError.from_storage(error) if isinstance(error, StorageError) else error
        log_error(f"{failure.reason.value}: {failure.message}")
        _leave(message_path, failure.outcome.to_text())
        return failure.exit_code
    except Exception as error:
        failure = StepError(LoadFailure.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        _leave(message_path, failure.outcome.to_text())
        raise
    if result is not None:
        _leave(message_path, result.to_text())
    return 0


Settings = StepSettings | FitSettings | ConvertSettings | PrepareSettings | ReportSettings


def _run(settings: Settings) -> TrainingResult | Outcome | None:
    in_pod = isinstance(settings, StepSettings | PrepareSettings)
    # Where no number is said, scikit-learn asks programs that the image lacks.
    settle_openmp(allowed() if in_pod else None)
    # A step takes no time for what only the others need.
    if isinstance(settings, PrepareSettings):
        from .steps.prepare.run import run as prepare

        return prepare(settings)
    if isinstance(settings, FitSettings):
        from .steps.fit_command import run as fit

        fit(settings)
        return None
    if isinstance(settings, ConvertSettings):
        from .conversion.command import run as convert

        convert(settings)
        return None
    if isinstance(settings, ReportSettings):
        from .report.command import run as report

        report(settings)
        return None
    plan = read_plan(Plan)
    if settings.step == ASSEMBLE:
        from .steps.assemble import run as assemble

        assemble(plan, settings)
    elif settings.step == TRAIN:
        from .steps.train import run as train

        train(plan, settings)
    else:
        from .steps.judge import run as judge

        return judge(plan, settings)
    return None


def _leave(path: Path | None, text: str) -> None:
    """Writes the outcome to where the kubelet reads it."""
    if path is None:
        return
    try:
        path.write_text(text)
    except OSError as error:
        log_error(f"--termination-message-path: {path} cannot be written: {error.strerror}")
