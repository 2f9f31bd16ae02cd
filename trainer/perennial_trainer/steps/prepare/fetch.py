"""First stage of prepare: copy artifact, sample and gate data to this machine."""

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
from ...settings import PrepareSettings

FIELD = "spec.model.uri"
MOST_FILES = 10_000


def run(plan: Preparation, settings: PrepareSettings) -> None:
    """Fetch all files, and check the artifact's digest.

    Raises:
        StorageError: ModelNotFound, AccessDenied, StoreUnreachable, DigestMismatch, ModelCorrupt.
        StepError: ModelNotFound or ModelCorrupt for a folder that is no model.
    """
    retry = settings.retry_seconds
    target = settings.input / ARTIFACT_FOLDER
    target.mkdir(parents=True, exist_ok=True)
    fetched = fetch_artifact(plan.uri, target, retry)
    check_pin(fetched.digest, plan.digest, without_secrets(plan.uri))
    if plan.sample:
        _fetch_file(plan.sample, settings.input / SAMPLE_FILE, "spec.packaging.sample", retry)
    data = plan.compression.gate.data if plan.compression else None
    if data:
        _fetch_file(data, settings.input / GATE_FILE, "spec.compression.gate.data", retry)
    (settings.input / FETCHED_FILE).write_text(fetched.model_dump_json())
    log(f"fetched {without_secrets(plan.uri)}, {fetched.digest}")


def _fetch_file(uri: str, target: Path, field: str, retry: float) -> None:
    parent, name = split(uri)
    Folder(parent, field, retry).download(name, target)


def fetch_artifact(uri: str, target: Path, retry: float) -> Fetched:
    """Copy an artifact: a bundle, a file, or a folder.

    Args:
        uri: its URI; the slash of a folder may be missing.
        target: the folder for its files.
        retry: seconds to retry a store that cannot be reached.

    Raises:
        StorageError, StepError: as :func:`run`.
    """
    if not is_folder(uri) and not Path(uri).is_dir():
        parent, name = split(uri)
        try:
            Folder(parent, FIELD, retry).download(name, target / name)
            return Fetched(digest=file_digest(target / name), path=name)
        except StorageError as error:
            (target / name).unlink(missing_ok=True)
            if error.reason is not LoadFailure.MODEL_NOT_FOUND or not _has_files(uri, retry):
                raise
    folder = Folder(uri, FIELD, retry)
    manifest = folder.read_if_exists(MANIFEST_NAME)
    if manifest is not None:
        return _fetch_bundle(folder, manifest, target)
    return _fetch_folder(folder, target)


def _has_files(uri: str, retry: float) -> bool:
    try:
        return bool(Folder(uri, FIELD, retry).list(""))
    except StorageError:
        return False


def _fetch_bundle(folder: Folder, manifest: bytes, target: Path) -> Fetched:
    bundle = parse_manifest(manifest, folder.describe(MANIFEST_NAME))
    for file in bundle.files:
        folder.download(file.path, target / file.path)
        check_digest(file.path, file.digest, file_digest(target / file.path), folder.uri)
    (target / MANIFEST_NAME).write_bytes(manifest)
    return Fetched(digest=digest_of(manifest), path=MODEL_NAME, bundle=True)


def _fetch_folder(folder: Folder, target: Path) -> Fetched:
    uri, paths = folder.uri, folder.list("")
    if not paths:
        raise StepError(
            LoadFailure.MODEL_NOT_FOUND,
            "expected a model, got no files",
            field=f"{uri}/",
            hint=f"Check {FIELD}, and that they were uploaded",
        )
    if len(paths) > MOST_FILES:
        raise StepError(
            LoadFailure.MODEL_CORRUPT,
            f"expected a model, got more than {MOST_FILES} files",
            field=uri,
            hint=f"Check {FIELD}",
        )
    for path in paths:
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise StepError(
                LoadFailure.MODEL_CORRUPT, f"expected files inside it, got {path}", field=uri
            )
        folder.download(path, target / path)
    if MODEL_NAME in paths:
        return Fetched(digest=file_digest(target / MODEL_NAME), path=MODEL_NAME)
    return Fetched(
        digest=digest_of_files({path: file_digest(target / path) for path in paths}), path="."
    )
