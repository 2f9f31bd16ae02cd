"""A model on this machine, and whether it is the one that is wanted."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.profile import PROFILE_NAME

from ..errors import LoadError

MANIFEST_LIMIT = 16 * 1024 * 1024
"""Bytes of bundle.json that are accepted."""


@dataclass(frozen=True)
class Artifact:
    """A verified model on this machine."""

    digest: str
    model: Path
    bundle: Bundle | None
    """None for a bare ONNX file."""

    @property
    def profile(self) -> Path | None:
        """The drift profile; None where the bundle lists none."""
        listed = self.bundle is not None and any(f.path == PROFILE_NAME for f in self.bundle.files)
        return self.model.with_name(PROFILE_NAME) if listed else None


def file_digest(path: Path) -> str:
    """The digest of a file's contents, read in pieces."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def parse_manifest(data: bytes, where: str) -> Bundle:
    """Reads ``bundle.json``.

    Raises:
        LoadError: ModelCorrupt, naming the first key that is wrong.
    """
    try:
        return Bundle.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the document"
        raise LoadError(
            LoadFailure.MODEL_CORRUPT,
            f"{where}: {key}: {first['msg']}. Expected a bundle manifest",
        ) from error


def check_pin(found: str, pin: str | None, where: str) -> None:
    """Compares a model's digest with the one asked for.

    Raises:
        LoadError: DigestMismatch.
    """
    if pin is not None and found != pin:
        raise LoadError(
            LoadFailure.DIGEST_MISMATCH,
            f"{where}: expected digest {pin}, got {found}. The model was overwritten in place: "
            "restore it, or change spec.model.digest",
        )


def verify(directory: Path, file: str | None, pin: str | None, where: str) -> Artifact:
    """Verifies a model in a directory: a bundle, or a bare model, named or ``model.onnx``.

    Raises:
        LoadError: ModelNotFound, AccessDenied, DigestMismatch or ModelCorrupt.
    """
    try:
        manifest = directory / MANIFEST_NAME
        if file is None and manifest.is_file():
            return _verify_bundle(directory, manifest.read_bytes(), pin, where)
        model = directory / (file or MODEL_NAME)
        if not model.is_file():
            expected = "an ONNX file" if file else f"{MANIFEST_NAME} or {MODEL_NAME}"
            raise LoadError(
                LoadFailure.MODEL_NOT_FOUND,
                f"{where}: nothing found; expected {expected}. Check spec.model.uri",
            )
        digest = file_digest(model)
        check_pin(digest, pin, where)
        return Artifact(digest, model, None)
    except PermissionError as error:
        raise LoadError(
            LoadFailure.ACCESS_DENIED,
            f"{where}: {error.filename} may not be read by user {os.getuid()}. "
            "Check the files' permissions and the pod's fsGroup",
        ) from error


def _verify_bundle(directory: Path, data: bytes, pin: str | None, where: str) -> Artifact:
    digest = digest_of(data)
    check_pin(digest, pin, where)
    bundle = parse_manifest(data, f"{where}: {MANIFEST_NAME}")
    for file in bundle.files:
        path = directory / file.path
        if not path.is_file():
            raise LoadError(
                LoadFailure.MODEL_CORRUPT,
                f"{where}: {MANIFEST_NAME} lists {file.path}, which is not there",
            )
        check_file(file.path, file.size, path.stat().st_size, file.digest, None, where)
        check_file(file.path, file.size, file.size, file.digest, file_digest(path), where)
    return Artifact(digest, directory / MODEL_NAME, bundle)


def check_file(
    name: str, size: int, found_size: int, digest: str, found_digest: str | None, where: str
) -> None:
    """Compares a file with what the bundle says of it.

    Raises:
        LoadError: DigestMismatch.
    """
    if found_size != size:
        problem = f"expected {size} bytes, got {found_size}"
    elif found_digest is not None and found_digest != digest:
        problem = f"expected digest {digest}, got {found_digest}"
    else:
        return
    raise LoadError(
        LoadFailure.DIGEST_MISMATCH,
        f"{where}: {name}: {problem}. It was changed after the bundle was made: upload it again",
    )
