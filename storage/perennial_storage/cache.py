"""Fetched models on disk, one folder per digest, shared by processes and releases.

An entry appears by one rename, so nobody sees a half-written one. Its digests are verified each
time it is used; a damaged entry is fetched again. Entries are never removed: no pod can know which
of them another pod of the node still needs.

``sha256-...`` is an entry, ``.partial-...`` a download in progress or one that a killed process
left behind, ``.lock-...`` the lock of its process. Every digest has its own lock, so that
different models download at the same time. Pods of older releases share the folder: keep the names.
"""

import errno
import hashlib
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from perennial_contracts.wire.outcome import LoadFailure

from . import log
from .artifact import Artifact, verify
from .errors import StorageError
from .locks import locked

ABANDONED_SECONDS = 86400.0
"""After this time, no process is expected to resume a partial download."""
_ENTRY_PREFIX = "sha256-"


@dataclass(frozen=True)
class PartialEntry:
    """A download that becomes an entry; only one process at a time has it."""

    root: Path
    digest: str | None
    """The model's digest; None if it is known only after the download."""

    @property
    def files(self) -> Path:
        """The directory that becomes the entry."""
        return self.root / "files"

    @property
    def is_resumable(self) -> bool:
        """True if a later process can resume the download."""
        return any(self.root.glob("*.json"))

    def record(self, path: str) -> Path | None:
        """Return the file for the record of an object's download; None to keep none.

        After a crash a disk may hold anything: only a known digest makes it safe to resume.
        """
        if self.digest is None:
            return None
        return self.root / f"{hashlib.sha256(path.encode()).hexdigest()[:32]}.json"


class ModelCache:
    """A directory of models that several processes may share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def lookup(self, digest: str) -> Artifact | None:
        """Return the verified entry for a digest; None if there is none or it is damaged."""
        entry = self._entry(digest)
        if not entry.is_dir():
            return None
        try:
            return verify(entry, None, digest, str(entry))
        except (StorageError, FileNotFoundError) as error:  # another process may be replacing it
            log.warning("a cached model is damaged; fetching it again", problem=str(error))
            return None

    @contextmanager
    def fill(self, digest: str | None) -> Iterator[PartialEntry]:
        """Yield a folder for a download; other processes for the same model wait.

        Look for the entry again inside: another process may have been faster. If the store breaks
        off, or the process has to end, the bytes of a known digest are kept for the next process;
        anything else is removed.

        Raises:
            StorageError: InternalError if the cache cannot be written.
        """
        key = uuid.uuid4().hex if digest is None else _key(digest)
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._lock(key), task=f"fetching {digest}"):
                self._sweep(key)
                partial = PartialEntry(self._root / f".partial-{key}", digest)
                partial.files.mkdir(parents=True, exist_ok=True)
                keep = False
                try:
                    yield partial
                except StorageError as error:
                    keep = digest is not None and error.is_retryable
                    raise
                except OSError as error:
                    raise self._unwritable(error) from error  # before the disk has room again
                except (KeyboardInterrupt, SystemExit):
                    keep = digest is not None
                    raise
                finally:
                    if not (keep and partial.is_resumable):
                        shutil.rmtree(partial.root, ignore_errors=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def commit(self, partial: PartialEntry, digest: str) -> Path:
        """Make a finished download the entry for its digest; return the entry."""
        entry = self._entry(digest)
        if partial.digest is not None:
            self._replace(partial.files, entry)
            return entry
        with locked(self._lock(_key(digest)), task=f"fetching {digest}"):
            if self.lookup(digest) is None:
                self._replace(partial.files, entry)
        return entry

    def require_room(self, size: int) -> None:
        """Check that ``size`` more bytes fit on the disk.

        Raises:
            StorageError: InternalError, with the numbers.
        """
        free = shutil.disk_usage(self._root).free
        if size > free:
            raise StorageError(
                LoadFailure.INTERNAL_ERROR,
                str(self._root),
                f"the disk is too full: the model needs {_mebibytes(size)} more, "
                f"{_mebibytes(free)} are free",
                "Set --cache-dir to a directory with enough room",
            )

    @staticmethod
    def _replace(files: Path, entry: Path) -> None:
        if entry.exists():  # damaged, or with the same contents
            shutil.rmtree(entry)
        files.rename(entry)

    def _sweep(self, own: str) -> None:
        """Remove partial downloads that killed processes left and nobody will resume."""
        for partial in self._root.glob(".partial-*"):
            key = partial.name.removeprefix(".partial-")
            if key == own:
                continue
            with suppress(FileNotFoundError):
                age = time.time() - partial.stat().st_mtime
                if key.startswith(_ENTRY_PREFIX) and age < ABANDONED_SECONDS:
                    continue
                with locked(self._lock(key), wait=False) as is_abandoned:
                    if is_abandoned:
                        shutil.rmtree(partial, ignore_errors=True)

    def _unwritable(self, error: OSError) -> StorageError:
        cause = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            with suppress(OSError):
                usage = shutil.disk_usage(self._root)
                cause += f" ({_mebibytes(usage.free)} of {_mebibytes(usage.total)} are free)"
        return StorageError(
            LoadFailure.INTERNAL_ERROR,
            str(self._root),
            f"cannot write to the cache: {cause}",
            "Set --cache-dir to a writable directory with enough room",
        )

    def _lock(self, key: str) -> Path:
        return self._root / f".lock-{key}"

    def _entry(self, digest: str) -> Path:
        return self._root / _key(digest)


def _key(digest: str) -> str:
    return digest.replace(":", "-")


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
