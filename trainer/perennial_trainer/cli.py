"""The program ``perennial-trainer``, and a run's way through it.

A run is three commands in one pod, with the plan as JSON in PERENNIAL_PLAN. ``assemble`` fetches
the champion, the baseline and the captured predictions, joins these with their labels, and splits
all rows (``data``): rows to train on go to INPUT, held-out rows to HOLDOUT. ``train`` sees INPUT
only. It tries candidates within time and budget (``selection``) and leaves the best one in OUTPUT.
``judge`` makes it an ONNX model (``conversion``), smaller if the plan requests it
(``compression``), scores it on the held-out rows beside the champion, and lets the gate decide
(``evaluation``). An accepted model is published as a bundle, a rejected one leaves a report
(``bundle``, ``report``). The outcome is the termination message, which the operator reads.

``prepare`` makes a bundle of a model that a framework saved, in three stages of another pod.
``fit``, ``convert`` and ``report`` do parts of all this on a person's machine.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_contracts.wire.prepare_plan import Preparation
from perennial_contracts.wire.run_plan import ASSEMBLE, TRAIN, Plan, TrainingResult
from perennial_storage.errors import StorageError

from .errors import StepError
from .log import log_error, print_records
from .report.settings import ReportSettings
from .settings import (
    ConvertSettings,
    FitSettings,
    PrepareSettings,
    Settings,
    StepSettings,
    parse,
    read_plan,
)
from .threads import allowed_threads, configure_openmp


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    settings = parse(sys.argv[1:] if arguments is None else arguments)
    message_path = None
    if isinstance(settings, StepSettings | PrepareSettings):
        message_path = settings.termination_message_path
    print_records()
    try:
        result = _run(settings)
    except (StepError, StorageError) as error:
        failure = StepError.from_storage(error) if isinstance(error, StorageError) else error
        log_error(f"{failure.reason.value}: {failure.message}")
        _write_outcome(message_path, failure.outcome.to_text())
        return failure.exit_code
    except Exception as error:
        failure = StepError(LoadFailure.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        _write_outcome(message_path, failure.outcome.to_text())
        raise
    if result is not None:
        _write_outcome(message_path, result.to_text())
    return 0


def _run(settings: Settings) -> TrainingResult | Outcome | None:
    """Run one command; each imports only its own modules, which saves seconds."""
    in_pod = isinstance(settings, StepSettings | PrepareSettings)
    # Without a number, scikit-learn runs programs to find it that the image lacks.
    configure_openmp(allowed_threads() if in_pod else None)
    match settings:
        case StepSettings():
            return _run_step(settings)
        case PrepareSettings():
            from .steps import prepare

            return prepare.run(read_plan(Preparation), settings)
        case FitSettings():
            from .steps import fit

            fit.run(settings)
        case ConvertSettings():
            from .conversion.command import run as convert

            convert(settings)
        case ReportSettings():
            from .report.command import run as report

            report(settings)
    return None


def _run_step(settings: StepSettings) -> TrainingResult | None:
    plan = read_plan(Plan)
    if settings.step == ASSEMBLE:
        from .steps import assemble

        assemble.run(plan, settings)
        return None
    if settings.step == TRAIN:
        from .steps import train

        train.run(plan, settings)
        return None
    from .steps import judge

    return judge.run(plan, settings)


def _write_outcome(path: Path | None, text: str) -> None:
    """Write the termination message, which the kubelet reads."""
    if path is None:
        return
    try:
        path.write_text(text)
    except OSError as error:
        log_error(f"--termination-message-path: {path} cannot be written: {error.strerror}")
