"""The program ``perennial-runtime``."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_storage.uris import without_secrets

from . import log
from .cgroup import available_threads
from .errors import LoadError
from .frontends import FrontendError
from .frontends.listener import ListenError
from .settings import RuntimeSettings, parse

_NO_MODEL = (
    LoadFailure.MODEL_NOT_FOUND,
    LoadFailure.MODEL_CORRUPT,
    LoadFailure.UNSUPPORTED_MODEL,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Return the exit code."""
    settings = parse(sys.argv[1:] if arguments is None else arguments)
    log.configure(settings.log_format)
    return end_process(_serve(settings) if settings.command == "serve" else _resolve(settings))


def end_process(code: int) -> int:
    """Return the exit code; if a thread would delay the end, end the process with it."""
    if threading.active_count() > 1:
        # A thread is still loading, or runs a request whose grace period is over. Do not wait.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
    return code


def _serve(settings: RuntimeSettings) -> int:
    workers = settings.workers or available_threads()
    with report_invalid_settings(log.error):
        if workers == 1:
            from .server import serve

            result = serve(settings)
        else:
            from .workers.supervisor import supervise

            result = supervise(settings, workers)
        return _fail(settings, result) if isinstance(result, LoadError) else result
    return 1


@contextmanager
def report_invalid_settings(report: Callable[[str], None]) -> Iterator[None]:
    """Report errors of settings that prevent the server from starting."""
    try:
        yield
    except (ListenError, FrontendError) as error:
        report(str(error))
    except ValueError as error:
        report(f"--tls-cert, --tls-key: {error}")


def _resolve(settings: RuntimeSettings) -> int:
    from .load import load_model

    try:
        model = load_model(settings)
    except LoadError as error:
        outcome = _needs_packaging(settings, error) or _outcome(error)
        log.error(outcome.message, reason=outcome.reason)
        _write_outcome(settings, outcome)
        print(outcome.to_text())
        return error.exit_code
    outcome = Outcome(digest=model.digest)
    _write_outcome(settings, outcome)
    print(outcome.to_text())
    return 0


def _needs_packaging(settings: RuntimeSettings, error: LoadError) -> Outcome | None:
    """Return the outcome for a model that must be converted first, or None."""
    if error.reason not in _NO_MODEL:
        return None
    from .raw_artifact import find_raw

    raw = find_raw(settings.uri)
    if raw is None or (raw.format == "Onnx" and error.reason is not LoadFailure.MODEL_NOT_FOUND):
        return None
    return Outcome(
        reason=LoadFailure.NEEDS_PACKAGING.value,
        format=raw.format,
        variant=raw.variant,
        message=f"{without_secrets(settings.uri)}: {raw.format}: {raw.why}. "
        "It can be served as a bundle.",
    )


def _fail(settings: RuntimeSettings, error: LoadError) -> int:
    log.error(error.message, reason=error.reason.value)
    _write_outcome(settings, _outcome(error))
    return error.exit_code


def _outcome(error: LoadError) -> Outcome:
    return Outcome(reason=error.reason.value, message=error.message)


def _write_outcome(settings: RuntimeSettings, outcome: Outcome) -> None:
    """Write the outcome to the file that the kubelet reads."""
    path = settings.termination_message_path
    if path is None:
        return
    try:
        path.write_text(outcome.to_text())
    except OSError as error:
        log.warning(f"--termination-message-path: cannot write {path}: {error.strerror}")
