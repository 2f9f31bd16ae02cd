"""The champion: the served model, fetched and checked against its digest."""

from dataclasses import dataclass
from pathlib import Path

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import LEARNT_UNTIL, Model
from perennial_storage.artifact import parse_manifest
from perennial_storage.digests import check_digest, check_pin, file_digest
from perennial_storage.folder import Folder
from perennial_storage.uris import split, without_secrets

from ..data.features import Feature
from ..errors import StepError
from ..model.onnx_model import OnnxModel, SignatureError

FIELD = "spec.model.uri of the ModelDeployment"


@dataclass(frozen=True)
class Champion:
    """The served model."""

    model: OnnxModel
    manifest: Bundle | None
    """None if the model is not a bundle."""

    @property
    def features(self) -> list[Feature]:
        return self.model.features

    @property
    def learnt_until(self) -> str | None:
        """Time of the last captured row in its training data, if known."""
        return self.manifest.lineage.get(LEARNT_UNTIL) if self.manifest else None


def fetch(champion: Model, target: Path, retry_seconds: float) -> Champion:
    """Fetch all files of the model and load it.

    Args:
        champion: URI of a bundle's folder, of one with model.onnx, or of an .onnx file, and its
            digest.
        target: an empty folder, which must exist as long as the model is used. The file of the
            model is called model.onnx there, even if it has another name in the store.
        retry_seconds: how long to retry a store that cannot be reached.

    Raises:
        StorageError: ModelNotFound, AccessDenied, StoreUnreachable, DigestMismatch, ModelCorrupt.
        StepError: UnsupportedModel if it is neither a classifier nor a regressor of rows.
    """
    manifest = None
    if champion.uri.endswith(".onnx"):
        parent, name = split(champion.uri)
        folder = Folder(parent, FIELD, retry_seconds)
    else:
        folder, name = Folder(champion.uri, FIELD, retry_seconds), MODEL_NAME
        data = folder.read_if_exists(MANIFEST_NAME)
        if data is not None:
            check_pin(digest_of(data), champion.digest, folder.describe(MANIFEST_NAME))
            manifest = parse_manifest(data, folder.describe(MANIFEST_NAME))
            (target / MANIFEST_NAME).write_bytes(data)
    if manifest:
        for file in manifest.files:
            folder.download(file.path, target / file.path)
            check_digest(file.path, file.digest, file_digest(target / file.path), folder.uri)
    else:
        folder.download(name, target / MODEL_NAME)
        check_pin(file_digest(target / MODEL_NAME), champion.digest, folder.describe(name))
    try:
        model = OnnxModel(target / MODEL_NAME, manifest.labels if manifest else None)
    except SignatureError as error:
        raise StepError(
            LoadFailure.UNSUPPORTED_MODEL,
            f"the served model is neither a classifier nor a regressor of rows: {error}",
            field=without_secrets(champion.uri),
        ) from error
    return Champion(model, manifest)
