"""The last stage of prepare: the bundle goes into the store.

The files come from a stage that an attacker may control. They are data: checked to be a bundle,
and no other file is read.
"""

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
from ...settings import PrepareSettings

FIELD = "spec.packaging.output.uri"
MOST_BYTES = 16 * 1024 * 1024
"""Maximum size of bundle.json, of the model card and of the report."""


def run(plan: Preparation, settings: PrepareSettings) -> Outcome:
    """Publish the bundle, bundle.json last; a second time changes nothing.

    Raises:
        StepError: StoreUnreachable or PublishFailed; NoModel if the files are no valid bundle.
    """
    files = _read_bundle(settings.output)
    card, beside = _read_card(settings.output)
    uri = publish_bundle(plan.output, files, beside, settings.retry_seconds, FIELD)
    log(f"published {uri}")
    return Outcome(
        digest=digest_of(files[MANIFEST_NAME]),
        uri=uri,
        artifact=card.lineage.get("artifact"),
        format=card.kind or None,
        report=f"{uri}{REPORT_NAME}" if REPORT_NAME in beside else None,
    )


def _read_bundle(folder: Path) -> dict[str, bytes]:
    """Return the bundle's files by path, checked against their digests."""
    manifest = _read(folder, MANIFEST_NAME, MOST_BYTES)
    try:
        bundle = Bundle.model_validate_json(manifest)
    except ValidationError as error:
        raise _unreadable(error) from error
    files = {}
    for file in bundle.files:
        files[file.path] = _read(folder, file.path, file.size)
        if digest_of(files[file.path]) != file.digest:
            raise _no_bundle(f"{file.path} differs from its digest in {MANIFEST_NAME}")
    return {**files, MANIFEST_NAME: manifest}


def _read_card(folder: Path) -> tuple[ModelCard, dict[str, bytes]]:
    """Return the model card, and the files to publish beside the bundle."""
    beside = {MODEL_CARD_NAME: _read(folder, MODEL_CARD_NAME, MOST_BYTES)}
    try:
        card = ModelCard.model_validate_json(beside[MODEL_CARD_NAME])
    except ValidationError as error:
        raise _unreadable(error) from error
    if (folder / REPORT_NAME).exists():
        beside[REPORT_NAME] = _read(folder, REPORT_NAME, MOST_BYTES)
    return card, beside


def _read(root: Path, path: str, most: int) -> bytes:
    """Read a plain file; a link could point to this container's own credentials."""
    target = root
    for part in Path(path).parts:
        target = target / part
        if target.is_symlink():
            raise _no_bundle(f"{path} is a link")
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not target.is_file():
                raise _no_bundle(f"{path} is no plain file")
            data = file.read(most + 1)
    except OSError as error:
        raise _no_bundle(f"{path}: {error.strerror}") from error
    if len(data) > most:
        raise _no_bundle(f"{path}: expected at most {most} bytes")
    return data


def _unreadable(error: ValidationError) -> StepError:
    return _no_bundle(f"it cannot be read: {error.errors(include_url=False)[0]['msg']}")


def _no_bundle(problem: str) -> StepError:
    return StepError(
        TrainingFailure.NO_MODEL,
        f"the conversion left no valid bundle: {problem}. Nothing is published",
    )
