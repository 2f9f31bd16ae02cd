"""Verify that the files of a model on this machine are the expected ones."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.profile import PROFILE_NAME

from .digests import check_digest, check_pin, check_size, file_digest
from .errors import MODEL_FIELD, StorageError, not_found


@dataclass(frozen=True)
class Artifact:
    """A verified model on this machine."""

    digest: str
    model: Path
    bundle: Bundle | None
    """None for a bare ONNX file."""

    @property
    def profile(self) -> Path | None:
        """The drift profile; None if the bundle lists none."""
        listed = self.bundle is not None and any(f.path == PROFILE_NAME for f in self.bundle.files)
        return self.model.with_name(PROFILE_NAME) if listed else None


def parse_manifest(data: bytes, uri: str) -> Bundle:
    """Parse ``bundle.json``.

    Raises:
        StorageError: ModelCorrupt, naming the first invalid key.
    """
    try:
        return Bundle.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the document"
        raise StorageError(
            LoadFailure.MODEL_CORRUPT,
            uri,
            f"{key}: {first['msg']}",
            "Expected a bundle manifest",
        ) from error


def verify(directory: Path, file: str | None, pin: str | None, uri: str) -> Artifact:
    """Verify the model in a directory: a bundle, or a bare ONNX file.

    Args:
        directory: the folder of the model.
        file: name of the ONNX file; if None, a bundle or ``model.onnx``.
        pin: the digest that the model must have; None to accept any.
        uri: the model's URI or path, for messages.

    Raises:
        StorageError: ModelNotFound, AccessDenied, DigestMismatch or ModelCorrupt.
    """
    try:
        manifest = directory / MANIFEST_NAME
        if file is None and manifest.is_file():
            return _verify_bundle(directory, manifest.read_bytes(), pin, uri)
        model = directory / (file or MODEL_NAME)
        if not model.is_file():
            expected = "an ONNX file" if file else f"{MANIFEST_NAME} or {MODEL_NAME}"
            raise not_found(uri, f"nothing found; expected {expected}", MODEL_FIELD)
        digest = file_digest(model)
        check_pin(digest, pin, uri)
        return Artifact(digest, model, None)
    except PermissionError as error:
        raise StorageError(
            LoadFailure.ACCESS_DENIED,
            uri,
            f"user {os.getuid()} may not read {error.filename}",
            "Check the files' permissions and the pod's fsGroup",
        ) from error


def _verify_bundle(directory: Path, data: bytes, pin: str | None, uri: str) -> Artifact:
    digest = digest_of(data)
    check_pin(digest, pin, uri)
    bundle = parse_manifest(data, f"{uri}: {MANIFEST_NAME}")
    for file in bundle.files:
        path = directory / file.path
        if not path.is_file():
            raise StorageError(
                LoadFailure.MODEL_CORRUPT,
                uri,
                f"{MANIFEST_NAME} lists {file.path}, which does not exist",
                "Upload the whole bundle",
            )
        check_size(file.path, file.size, path.stat().st_size, uri)
        check_digest(file.path, file.digest, file_digest(path), uri)
    return Artifact(digest, directory / MODEL_NAME, bundle)
