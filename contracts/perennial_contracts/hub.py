"""The Hugging Face Hub: where it is, and what the errors of its client mean."""

import os
from typing import Any

from . import web
from .refusal import Refusal
from .wire.outcome import LoadFailure


def endpoint() -> str:
    """The hub's address, from ``HF_ENDPOINT``."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def refusal(errors: Any, where: str, error: Exception, setting: str) -> Refusal | None:
    """What the hub's answer means; None where it has not answered.

    Args:
        errors: the client's module of them.
        where: the URI, for messages.
        error: what the client raised.
        setting: where the URI comes from.
    """
    if isinstance(error, errors.GatedRepoError):
        return Refusal(
            LoadFailure.ACCESS_DENIED,
            f"{where}: the repository is gated. Accept its terms on the hub, and set HF_TOKEN",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return Refusal(
            LoadFailure.MODEL_NOT_FOUND,
            f"{where}: there is no such repository, or HF_TOKEN may not see it. "
            f"Check {setting} and HF_TOKEN",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return _missing(where, "there is no such revision", setting)
    if isinstance(error, errors.EntryNotFoundError):
        return _missing(where, "there is no such file", setting)
    if isinstance(error, errors.HFValidationError):
        return _missing(where, str(error), setting)
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        return web.refusal(where, error.response.status_code, setting)
    return None


def _missing(where: str, what: str, setting: str) -> Refusal:
    return Refusal(LoadFailure.MODEL_NOT_FOUND, f"{where}: {what}. Check {setting}")
