"""The first step: the artifact's bytes, the sample and the gate's data, on this machine."""

from pathlib import Path, PurePosixPath

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME
from perennial_contracts.wire.digest import digest_of, digest_of_files
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.prepare_plan import (
    ARTIFACT_FOLDER,
    FETCHED_FILE,
    GATE_FILE,
    SAMPLE_FILE,
    Fetched,
    Preparation,
)
from perennial_storage.artifact import parse_manifest
from perennial_storage.digests import check_digest, check_pin, file_digest
from perennial_storage.errors import StorageError
from perennial_storage.folder import Folder
from perennial_storage.uris import is_folder, split, without_secrets

from ...errors import StepError
from ...log import log
from .settings import PrepareSettings

FIELD = "spec.model.uri"
MOST_FILES = 10_000


def run(plan: Preparation, settings: PrepareSettings) -> None:
    """Fetches everything, and holds the artifact to its digest.

    Raises:
        StepError: ModelNotFound, AccessDenied, StoreUnreachable, DigestMismatch, ModelCorrupt.
    """
    retry = settings.retry_seconds
    target = settings.input / ARTIFACT_FOLDER
    target.mkdir(parents=True, exist_ok=True)
    found = _artifact(plan.uri, target, retry)
    check_pin(found.digest, plan.digest, without_secrets(plan.uri))
    if plan.sample:
        _file(plan.sample, settings.input / SAMPLE_FILE, "spec.packaging.sample", retry)
    data = plan.compression.gate.data if plan.compression else None
    if data:
        _file(data, settings.input / GATE_FILE, "spec.compression.gate.data", retry)
    (settings.input / FETCHED_FILE).write_text(found.model_dump_json())
    log(f"fetched {without_secrets(plan.uri)}, {found.digest}")


def _file(uri: str, target: Path, field: str, retry: float) -> None:
    where, name = split(uri)
    Folder(where, field, retry).download(name, target)


def _artifact(uri: str, target: Path, retry: float) -> Fetched:
    if not is_folder(uri) and not Path(uri).is_dir():
        where, name = split(uri)
        try:
            Folder(where, FIELD, retry).download(name, target / name)
            return Fetched(digest=file_digest(target / name), path=name)
        except StorageError as error:
            # A folder may be written without its slash.
            (target / name).unlink(missing_ok=True)
            if error.reason is not LoadFailure.MODEL_NOT_FOUND or not _has_files(uri, retry):
                raise
    folder = Folder(uri, FIELD, retry)
    manifest = folder.read_if_exists(MANIFEST_NAME)
    if manifest is not None:
        return _bundle(folder, manifest, target)
    return _folder(folder, target)


def _has_files(uri: str, retry: float) -> bool:
    try:
        return bool(Folder(uri, FIELD, retry).list(""))
    except StorageError:
        return False


def _bundle(folder: Folder, manifest: bytes, target: Path) -> Fetched:
    bundle = parse_manifest(manifest, folder.describe(MANIFEST_NAME))
    for file in bundle.files:
        folder.download(file.path, target / file.path)
        check_digest(file.path, file.digest, file_digest(target / file.path), folder.uri)
    (target / MANIFEST_NAME).write_bytes(manifest)
    return Fetched(digest=digest_of(manifest), path=MODEL_NAME, bundle=True)


def _folder(folder: Folder, target: Path) -> Fetched:
    uri, paths = folder.uri, folder.list("")
    if not paths:
        raise StepError(
            LoadFailure.MODEL_NOT_FOUND,
            f"{uri}/: expected a model, got no files. Check {FIELD}, and that they were uploaded",
        )
    if len(paths) > MOST_FILES:
        raise StepError(
            LoadFailure.MODEL_CORRUPT,
            f"{uri}: expected a model, got more than {MOST_FILES} files. Check {FIELD}",
        )
    for path in paths:
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise StepError(
                LoadFailure.MODEL_CORRUPT, f"{uri}: expected files inside it, got {path}"
            )
        folder.download(path, target / path)
    if MODEL_NAME in paths:
        return Fetched(digest=file_digest(target / MODEL_NAME), path=MODEL_NAME)
    return Fetched(
        digest=digest_of_files({path: file_digest(target / path) for path in paths}), path="."
    )
