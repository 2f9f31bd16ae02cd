"""The model that serves now, fetched and checked against its digest."""

from pathlib import Path

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import Model

from ..errors import StepError
from ..model.onnx_model import OnnxModel, SignatureError
from ..storage import Folder, split
from .manifest import parse

FIELD = "spec.model.uri of the ModelDeployment"


def fetch(champion: Model, scratch: Path, retry_seconds: float) -> OnnxModel:
    """Fetches the model, all its files, and loads it.

    Args:
        champion: where it lies, a bundle's folder, one with model.onnx, or an .onnx file.
        scratch: an empty folder that lives as long as the model. What it is called where it lies
            does not count: the model is model.onnx here, beside bundle.json where it has one.
        retry_seconds: how long an unreachable store is tried again.

    Raises:
        StepError: ModelNotFound, AccessDenied, StoreUnreachable, DigestMismatch, ModelCorrupt, or
            UnsupportedModel where it is no classifier of rows.
    """
    bundle = None
    if champion.uri.endswith(".onnx"):
        where, name = split(champion.uri)
        folder = Folder(where, FIELD, retry_seconds)
    else:
        folder, name = Folder(champion.uri, FIELD, retry_seconds), MODEL_NAME
        manifest = folder.read_if_there(MANIFEST_NAME)
        if manifest is not None:
            _verify(folder, MANIFEST_NAME, manifest, champion.digest)
            bundle = parse(manifest, folder.describe(MANIFEST_NAME))
            (scratch / MANIFEST_NAME).write_bytes(manifest)
    for path, digest in (
        [(file.path, file.digest) for file in bundle.files] if bundle else [(name, champion.digest)]
    ):
        target = scratch / (path if bundle else MODEL_NAME)
        folder.download(path, target)
        _verify(folder, path, target.read_bytes(), digest)
    try:
        return OnnxModel(scratch / MODEL_NAME, bundle.labels if bundle else None)
    except SignatureError as error:
        raise StepError(
            LoadFailure.UNSUPPORTED_MODEL,
            f"{champion.uri}, which serves now, is no classifier of rows: {error}",
        ) from error


def _verify(folder: Folder, path: str, data: bytes, expected: str) -> None:
    if digest_of(data) != expected:
        raise StepError(
            LoadFailure.DIGEST_MISMATCH,
            f"{folder.describe(path)}: expected {expected}, got {digest_of(data)}. Publish changed "
            "models under a new path",
        )
