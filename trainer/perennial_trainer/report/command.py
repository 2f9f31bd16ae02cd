"""The command ``report``: render the page of a model card."""

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
    """Read the card and write the page.

    Raises:
        StepError: DataUnreadable if the card or the profile cannot be read, PublishFailed if the
            page cannot be written.
    """
    card = _read(settings.card, ModelCard, "MODELCARD")
    # The headlines of earlier versions begin with the decision.
    card.headline = card.headline.removeprefix(f"{card.decision}: ")
    profile = None if settings.profile is None else _read(settings.profile, Profile, "--profile")
    try:
        settings.out.write_text(render(card, profile), encoding="utf-8")
    except OSError as error:
        raise StepError(
            TrainingFailure.PUBLISH_FAILED,
            f"{settings.out} cannot be written: {error.strerror}",
            field="--out",
        ) from error
    log(f"wrote the report of {card.name} to {settings.out}")


def _read(path: Path, kind: type[T], field: str) -> T:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"{path}: {error.strerror}", field=field
        ) from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(map(str, problem["loc"]))
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"{path}: expected a file that a run wrote: {f'{key}: ' if key else ''}"
            f"{problem['msg']}",
            field=field,
        ) from error
