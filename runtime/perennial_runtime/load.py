"""From settings to a model that can answer. What is slow to import is imported here, late."""

from typing import TYPE_CHECKING

from perennial_contracts.outcome import LoadFailure

from . import log
from .cgroup import available_threads
from .errors import LoadError
from .settings import Settings

if TYPE_CHECKING:
    from .model import Model
    from .protocol.v2 import Codec


def load(settings: Settings) -> "tuple[Model, Codec]":
    """Fetches the model, creates its session and warms it up.

    Raises:
        LoadError: for whatever reason.
    """
    try:
        from .fetch import fetch
        from .model import Model
        from .protocol.v2 import Codec

        artifact = fetch(settings.uri, settings.digest, settings.cache_dir, settings.retry_seconds)
        log.info("fetched", digest=artifact.digest, path=str(artifact.model))
        model = Model(artifact, available_threads(settings.threads))
        return model, Codec(settings.name, model.version, model.inputs, model.outputs)
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
