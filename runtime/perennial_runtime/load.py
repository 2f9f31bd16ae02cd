"""From settings to a model that can answer. What is slow to import is imported here, late."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from perennial_contracts.wire.capture import COLUMNS
from perennial_contracts.wire.outcome import LoadFailure

from . import log
from .cgroup import available_threads
from .errors import LoadError
from .settings import Settings

if TYPE_CHECKING:
    from .engine.model import Model
    from .service import Service


def _to_nobody(digest: str) -> None:
    pass


def load_model(settings: Settings, fetched: Callable[[str], None] = _to_nobody) -> "Model":
    """Fetches the model, tells its digest, creates its session and warms it up.

    Raises:
        LoadError: for whatever reason.
    """
    with _errors_explained(settings):
        from .engine.model import Model
        from .fetching.fetch import fetch

        artifact = fetch(settings.uri, settings.digest, settings.cache_dir, settings.retry_seconds)
        log.info("fetched", digest=artifact.digest, path=str(artifact.model))
        fetched(artifact.digest)
        return Model(artifact, available_threads(settings.threads), settings.accelerator)


def load_service(
    settings: Settings,
    instance: str | None = None,
    worker: int = 0,
    fetched: Callable[[str], None] = _to_nobody,
) -> "Service":
    """Loads the model, and starts to capture where the settings say so.

    Args:
        instance: names those who count together; None: only this process.
        worker: tells apart those who do; 0 where there is one.
        fetched: is told the model's digest once it lies in the cache.

    Raises:
        LoadError: for whatever reason.
    """
    model = load_model(settings, fetched)
    with _errors_explained(settings):
        from .service import Service

        instance = instance or uuid4().hex
        service = Service(settings.name, model, instance, settings.max_body_bytes)
        if settings.capture is not None:
            writer = f"{instance}-{worker}" if worker else instance
            _start_capture(settings, settings.capture, service, writer)
        return service


def _start_capture(settings: Settings, uri: str, service: "Service", writer: str) -> None:
    """A model whose rows make no table is served, but not captured."""
    from .monitoring.capture import Capture
    from .store.sink import sink_of

    model = service.model
    taken = [tensor.name for tensor in model.inputs if tensor.name.casefold() in COLUMNS]
    if service.is_tabular and not taken:
        service.monitor.capture = Capture(
            sink_of(uri),
            service.name,
            model.version,
            model.inputs,
            model.classes,
            writer,
            maker=service.ids,
            permille=settings.capture_permille,
            flush_seconds=settings.capture_flush_seconds,
            queue_rows=settings.capture_queue_rows,
        )
        return
    problem = "nothing is captured: " + (
        f"the input {taken[0]!r} has the name of a column that captured files have besides the "
        "features. Rename it, and make the model again"
        if service.is_tabular
        else "the model does not take rows of a table, with one input of shape [-1, 1] or [-1] "
        "for each feature"
    )
    service.monitor.capture_problem = problem
    log.warning("the model is served, but not captured", problem=problem)


@contextmanager
def _errors_explained(settings: Settings) -> Iterator[None]:
    """Every error as a LoadError that names the model."""
    try:
        yield
    except LoadError as error:
        # Whoever reads the message may not know which model it is about.
        if settings.uri in error.message:
            raise
        raise LoadError(error.reason, f"{settings.uri}: {error.message}") from error
    except Exception as error:
        log.error("loading failed in a way that was not foreseen", traceback=True)
        raise LoadError(
            LoadFailure.INTERNAL_ERROR, f"{settings.uri}: {type(error).__name__}: {error}"
        ) from error
