"""The last step: the bundle into the store. What lies there was made by untrusted hands: it is
data, checked to be a bundle, and nothing beside it is read."""

import os
from pathlib import Path

from pydantic import ValidationError

from perennial_contracts.wire.bundle import MANIFEST_NAME, Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.modelcard import MODEL_CARD_NAME, REPORT_NAME, ModelCard
from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.prepare_plan import Preparation
from perennial_contracts.wire.run_plan import TrainingFailure

from ...bundle.publish import publish_bundle
from ...errors import StepError
from ...log import log
from .settings import PrepareSettings

FIELD = "spec.packaging.output.uri"
MOST_BYTES = 16 * 1024 * 1024
"""Of bundle.json, of the card and of the report."""


def run(plan: Preparation, settings: PrepareSettings) -> Outcome:
    """Publishes, bundle.json last; a second time it changes nothing.

    Raises:
        StepError: StoreUnreachable or PublishFailed; NoModel where there is no proper bundle.
    """
    manifest = _read(settings.output, MANIFEST_NAME, MOST_BYTES)
    try:
        bundle = Bundle.model_validate_json(manifest)
        card = ModelCard.model_validate_json(_read(settings.output, MODEL_CARD_NAME, MOST_BYTES))
    except ValidationError as error:
        raise _no_bundle(
            f"it cannot be read: {error.errors(include_url=False)[0]['msg']}"
        ) from error
    files = {}
    for file in bundle.files:
        files[file.path] = _read(settings.output, file.path, file.size)
        if digest_of(files[file.path]) != file.digest:
            raise _no_bundle(f"{file.path} is not what {MANIFEST_NAME} says")
    beside = {MODEL_CARD_NAME: _read(settings.output, MODEL_CARD_NAME, MOST_BYTES)}
    if (settings.output / REPORT_NAME).exists():
        beside[REPORT_NAME] = _read(settings.output, REPORT_NAME, MOST_BYTES)
    files[MANIFEST_NAME] = manifest
    uri = publish_bundle(plan.output, files, beside, settings.retry_seconds, FIELD)
    log(f"published {uri}")
    return Outcome(
        digest=digest_of(manifest),
        uri=uri,
        artifact=card.lineage.get("artifact"),
        format=card.kind or None,
        report=f"{uri}{REPORT_NAME}" if REPORT_NAME in beside else None,
    )


def _read(root: Path, path: str, most: int) -> bytes:
    """A plain file: a link could lead to this container's own credentials."""
    place = root
    for part in Path(path).parts:
        place = place / part
        if place.is_symlink():
            raise _no_bundle(f"{path} is a link")
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not place.is_file():
                raise _no_bundle(f"{path} is no plain file")
            data = file.read(most + 1)
    except OSError as error:
        raise _no_bundle(f"{path}: {error.strerror}") from error
    if len(data) > most:
        raise _no_bundle(f"{path}: expected at most {most} bytes")
    return data


def _no_bundle(problem: str) -> StepError:
    return StepError(
        TrainingFailure.NO_MODEL, f"the conversion left no bundle: {problem}. Nothing is published"
    )
