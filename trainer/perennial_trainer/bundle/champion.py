"""The model that serves now, fetched and checked against its digest."""

from pathlib import Path

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import Model
from perennial_storage.artifact import parse_manifest
from perennial_storage.digests import check_digest, check_pin, file_digest
from perennial_storage.folder import Folder
from perennial_storage.uris import split

from ..errors import StepError
from ..model.onnx_model import OnnxModel, SignatureError

FIELD = "spec.model.uri of the ModelDeployment"


def fetch(champion: Model, scratch: Path, retry_seconds: float) -> OnnxModel:
    """Fetches the model, all its files, and loads it.

    Args:
        champion: where it lies, a bundle's folder, one with model.onnx, or an .onnx file.
        scratch: an empty folder that lives as long as the model. What it is called where it lies
            does not count: the model is model.onnx here, beside bundle.json where it has one.
        retry_seconds: how long an unreachable store is tried again.

    Raises:
        StorageError: ModelNotFound, AccessDenied, StoreUnreachable, DigestMismatch, ModelCorrupt.
        StepError: UnsupportedModel if it is no classifier of rows.
    """
    bundle = None
    if champion.uri.endswith(".onnx"):
        where, name = split(champion.uri)
        folder = Folder(where, FIELD, retry_seconds)
    else:
        folder, name = Folder(champion.uri, FIELD, retry_seconds), MODEL_NAME
        manifest = folder.read_if_exists(MANIFEST_NAME)
        if manifest is not None:
            check_pin(digest_of(manifest), champion.digest, folder.describe(MANIFEST_NAME))
            bundle = parse_manifest(manifest, folder.describe(MANIFEST_NAME))
            (scratch / MANIFEST_NAME).write_bytes(manifest)
    if bundle:
        for file in bundle.files:
            folder.download(file.path, scratch / file.path)
            check_digest(file.path, file.digest, file_digest(scratch / file.path), folder.uri)
    else:
        folder.download(name, scratch / MODEL_NAME)
        check_pin(file_digest(scratch / MODEL_NAME), champion.digest, folder.describe(name))
    try:
        return OnnxModel(scratch / MODEL_NAME, bundle.labels if bundle else None)
    except SignatureError as error:
        raise StepError(
            LoadFailure.UNSUPPORTED_MODEL,
            f"{champion.uri}, which serves now, is no classifier of rows: {error}",
        ) from error
