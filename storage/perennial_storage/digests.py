"""Digests of files, and comparing them with the expected ones."""

import hashlib
from pathlib import Path

from perennial_contracts.wire.outcome import LoadFailure

from .errors import StorageError

STEP_BYTES = 1024 * 1024


def file_digest(path: Path) -> str:
    """Return the digest of a file's contents, without holding them in memory."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def check_pin(found: str, pin: str | None, uri: str) -> None:
    """Compare a model's digest with the pinned one, if any.

    Raises:
        StorageError: DigestMismatch.
    """
    if pin is not None and found != pin:
        raise StorageError(
            LoadFailure.DIGEST_MISMATCH,
            uri,
            f"expected digest {pin}, got {found}",
            "The model was overwritten in place: restore it, or change spec.model.digest",
            "spec.model.digest",
        )


def check_size(name: str, expected: int, found: int, uri: str) -> None:
    """Compare the size of a bundle's file with the one in its manifest.

    Raises:
        StorageError: DigestMismatch.
    """
    if found != expected:
        raise _changed(uri, f"{name}: expected {expected} bytes, got {found}")


def check_digest(name: str, expected: str, found: str, uri: str) -> None:
    """Compare the digest of a bundle's file with the one in its manifest.

    Raises:
        StorageError: DigestMismatch.
    """
    if found != expected:
        raise _changed(uri, f"{name}: expected digest {expected}, got {found}")


def _changed(uri: str, detail: str) -> StorageError:
    return StorageError(
        LoadFailure.DIGEST_MISMATCH,
        uri,
        detail,
        "The file was changed after the bundle was made: upload it again",
    )


class PrefixHash:
    """SHA-256 of a file's first bytes, for a file that is written in any order.

    The hash advances from the start of the file as gaps close.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._length = 0

    @property
    def digest(self) -> str:
        """The digest of the bytes that have been hashed so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def update(self, data: bytes) -> None:
        """Hash bytes that are being appended to the file."""
        self._hash.update(data)
        self._length += len(data)

    def step(self, end: int) -> bool:
        """Hash one more mebibyte of the file, up to ``end``; return False at ``end``.

        Raises:
            StorageError: InternalError if the file is shorter than ``end``.
        """
        count = min(end - self._length, STEP_BYTES)
        if count <= 0:
            return False
        with self._path.open("rb") as file:
            file.seek(self._length)
            data = file.read(count)
        if len(data) < count:
            raise StorageError(
                LoadFailure.INTERNAL_ERROR,
                str(self._path),
                "another process truncated the file during the download",
            )
        self.update(data)
        return True
