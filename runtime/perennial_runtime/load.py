"""Load a model: from the settings to a model that can answer.

Slow imports are inside the functions, so that the server listens before they begin.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from perennial_contracts.wire.capture import COLUMNS
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.uris import without_secrets

from . import log
from .cgroup import available_threads
from .errors import LoadError
from .settings import RuntimeSettings

if TYPE_CHECKING:
    from .engine.model import LoadedModel
    from .service import Service


def _ignore(digest: str) -> None:
    pass


def load_model(
    settings: RuntimeSettings, on_fetched: Callable[[str], None] = _ignore
) -> "LoadedModel":
    """Fetch the model, report its digest, create its session and warm it up.

    Raises:
        LoadError: if any of these fails.
    """
    with _as_load_error(settings):
        from perennial_storage.fetch import fetch

        from .engine.model import LoadedModel

        artifact = fetch(settings.uri, settings.digest, settings.cache_dir, settings.retry_seconds)
        log.info("fetched", digest=artifact.digest, path=str(artifact.model))
        on_fetched(artifact.digest)
        return LoadedModel(artifact, available_threads(settings.threads), settings.accelerator)


def load_service(
    settings: RuntimeSettings,
    instance: str | None = None,
    worker: int = 0,
    on_fetched: Callable[[str], None] = _ignore,
) -> "Service":
    """Load the model, and start to capture if the settings configure it.

    Args:
        settings: settings of ``perennial-runtime serve``.
        instance: id of the processes whose counters are added up; None for this process only.
        worker: number of this process among them; 0 for a single process.
        on_fetched: receives the digest when the model is in the cache.

    Raises:
        LoadError: if the model cannot be served.
    """
    model = load_model(settings, on_fetched)
    with _as_load_error(settings):
        from .service import Service

        instance = instance or uuid4().hex
        service = Service(settings.name, model, instance)
        if settings.capture is not None:
            file_prefix = f"{instance}-{worker}" if worker else instance
            _start_capture(settings, settings.capture, service, file_prefix)
        return service


def _start_capture(
    settings: RuntimeSettings, uri: str, service: "Service", file_prefix: str
) -> None:
    """Start to capture, or log the reason why the model cannot be captured."""
    from perennial_storage.sink import open_sink

    from .monitoring.capture import CaptureSettings, CaptureWriter

    inputs = service.model.inputs
    taken = [tensor.name for tensor in inputs if tensor.name.casefold() in COLUMNS]
    if service.is_tabular and not taken:
        limits = CaptureSettings(
            permille=settings.capture_permille,
            flush_seconds=settings.capture_flush_seconds,
            queue_rows=settings.capture_queue_rows,
        )
        service.monitor.capture = CaptureWriter(
            open_sink(uri), service.monitored, file_prefix, limits
        )
        return
    problem = "nothing is captured: " + (
        f"the input {taken[0]!r} has the name of a column that captured files need. "
        "Fix: rename the input"
        if service.is_tabular
        else "the model does not accept rows of a table, which needs one input of shape [-1, 1] or "
        "[-1] for each feature"
    )
    service.monitor.capture_problem = problem
    log.warning("the model is served, but not captured", problem=problem)


@contextmanager
def _as_load_error(settings: RuntimeSettings) -> Iterator[None]:
    """Raise every error as a LoadError whose message names the model."""
    uri = without_secrets(settings.uri)
    try:
        yield
    except (LoadError, StorageError) as error:
        # The message is shown where nothing else names the model.
        message = error.message if uri in error.message else f"{uri}: {error.message}"
        raise LoadError(error.reason, message) from error
    except Exception as error:
        log.error("unexpected error while loading", traceback=True)
        raise LoadError(
            LoadFailure.INTERNAL_ERROR, f"{uri}: {type(error).__name__}: {error}"
        ) from error
