"""The digest of a file that is written in any order, hashed from its start as gaps close."""

import hashlib
from pathlib import Path

from perennial_contracts.wire.outcome import LoadFailure

from ..errors import LoadError

STEP_BYTES = 1024 * 1024


class PrefixHash:
    """SHA-256 of a file's first bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._length = 0

    @property
    def digest(self) -> str:
        """Of what has been hashed so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def update(self, data: bytes) -> None:
        """Hashes what is just being written after the rest."""
        self._hash.update(data)
        self._length += len(data)

    def step(self, end: int) -> bool:
        """Hashes a piece of the file before ``end``; whether there was any left.

        Raises:
            LoadError: InternalError where the file ends earlier.
        """
        count = min(end - self._length, STEP_BYTES)
        if count <= 0:
            return False
        with self._path.open("rb") as file:
            file.seek(self._length)
            data = file.read(count)
        if len(data) < count:
            raise LoadError(
                LoadFailure.INTERNAL_ERROR,
                f"{self._path}: somebody else cut it off while it was being written",
            )
        self.update(data)
        return True
