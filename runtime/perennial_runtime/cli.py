"""The program ``perennial-runtime``."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from perennial_contracts.wire.outcome import LoadFailure, Outcome

from . import log
from .cgroup import available_threads
from .errors import LoadError
from .frontends import FrontendError
from .frontends.listener import ListenError
from .settings import Settings, parse

_NO_MODEL = (
    LoadFailure.MODEL_NOT_FOUND,
    LoadFailure.MODEL_CORRUPT,
    LoadFailure.UNSUPPORTED_MODEL,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    settings = parse(sys.argv[1:] if arguments is None else arguments)
    log.configure(settings.log_format)
    return ended(_serve(settings) if settings.command == "serve" else _resolve(settings))


def ended(code: int) -> int:
    """Gives the exit code back, or ends the process with it where a thread would hold it up."""
    if threading.active_count() > 1:
        # A thread is still loading, or running a request whose grace is over: do not wait for it.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
    return code


def _serve(settings: Settings) -> int:
    workers = settings.workers or available_threads()
    with explained(log.error):
        if workers == 1:
            from .server import serve

            result = serve(settings)
        else:
            from .workers.supervisor import supervise

            result = supervise(settings, workers)
        return _failed(settings, result) if isinstance(result, LoadError) else result
    return 1


@contextmanager
def explained(tell: Callable[[str], None]) -> Iterator[None]:
    """Tells what is wrong with the settings where nothing can be served with them."""
    try:
        yield
    except (ListenError, FrontendError) as error:
        tell(str(error))
    except ValueError as error:
        tell(f"--tls-cert, --tls-key: {error}")


def _resolve(settings: Settings) -> int:
    from .load import load_model

    try:
        model = load_model(settings)
    except LoadError as error:
        outcome = _raw(settings, error) or _outcome(error)
        log.error(outcome.message, reason=outcome.reason)
        _leave(settings, outcome)
        print(outcome.to_text())
        return error.exit_code
    outcome = Outcome(digest=model.digest)
    _leave(settings, outcome)
    print(outcome.to_text())
    return 0


def _raw(settings: Settings, error: LoadError) -> Outcome | None:
    """What lies there instead, where it is what a framework saved."""
    if error.reason not in _NO_MODEL:
        return None
    from .fetching.raw import find_raw

    raw = find_raw(settings.uri)
    if raw is None or (raw.format == "Onnx" and error.reason is not LoadFailure.MODEL_NOT_FOUND):
        return None
    return Outcome(
        reason=LoadFailure.NEEDS_PACKAGING.value,
        format=raw.format,
        variant=raw.variant,
        message=f"{settings.uri}: {raw.format}: {raw.why}. It is served once it is a bundle.",
    )


def _failed(settings: Settings, error: LoadError) -> int:
    log.error(error.message, reason=error.reason.value)
    _leave(settings, _outcome(error))
    return error.exit_code


def _outcome(error: LoadError) -> Outcome:
    return Outcome(reason=error.reason.value, message=error.message)


def _leave(settings: Settings, outcome: Outcome) -> None:
    """Writes the outcome to where the kubelet reads it."""
    path = settings.termination_message_path
    if path is None:
        return
    try:
        path.write_text(outcome.to_text())
    except OSError as error:
        log.warning(f"--termination-message-path: {path} cannot be written: {error.strerror}")
