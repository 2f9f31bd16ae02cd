"""The command ``report``: the page of a model card, drawn anew."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from perennial_contracts.wire.modelcard import ModelCard
from perennial_contracts.wire.profile import Profile
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from ..log import log
from .page import render
from .settings import ReportSettings

T = TypeVar("T", bound=BaseModel)


def run(settings: ReportSettings) -> None:
    """Reads the card and writes the page.

    Raises:
        StepError: DataUnreadable for the card or the profile, PublishFailed for the page.
    """
    card = _read(settings.card, ModelCard, "MODELCARD")
    profile = None if settings.profile is None else _read(settings.profile, Profile, "--profile")
    try:
        settings.out.write_text(render(card, profile), encoding="utf-8")
    except OSError as error:
        raise StepError(
            TrainingFailure.PUBLISH_FAILED,
            f"--out: {settings.out} cannot be written: {error.strerror}",
        ) from error
    log(f"{settings.out}: the report of {card.name}")


def _read(path: Path, kind: type[T], field: str) -> T:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"{field}: {path}: {error.strerror}"
        ) from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{field}: {path}: expected what a run wrote: {f'{place}: ' if place else ''}"
            f"{problem['msg']}",
        ) from error
