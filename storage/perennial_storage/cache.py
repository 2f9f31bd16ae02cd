"""Fetched models on disk, one directory per digest.

An entry appears by one rename, so a half-written one is never seen; what an entry holds is
verified each time it is used, so a damaged one is noticed and fetched anew. Entries are never
removed: which of them another pod of the node still needs, no pod can know.

``sha256-...`` is an entry, ``.partial-...`` what is being fetched or was left half-fetched by a
process that was killed, ``.lock-...`` who is at it. There is a lock for each digest, so that
different models are fetched at the same time.
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

from .. import log
from ..errors import LoadError
from .artifact import Artifact, verify
from .locks import locked

__all__ = ["Artifact", "Cache", "Filling"]

ABANDONED_SECONDS = 86400.0
"""After that nobody is expected to go on with what a killed process had got."""
_KEPT = "sha256-"


@dataclass(frozen=True)
class Filling:
    """What is being fetched for an entry; one process at a time has it."""

    root: Path
    digest: str | None
    """Of the model; None where it is not known before all of it is there."""

    @property
    def files(self) -> Path:
        """The directory that becomes the entry."""
        return self.root / "files"

    @property
    def has_records(self) -> bool:
        """Whether a later process finds anything that it can go on with."""
        return any(self.root.glob("*.json"))

    def record(self, path: str) -> Path | None:
        """Where it is noted how much of a file has arrived; None where nothing may be kept.

        What a crash leaves on a disk can be anything: only a digest tells.
        """
        if self.digest is None:
            return None
        return self.root / f"{hashlib.sha256(path.encode()).hexdigest()[:32]}.json"


class Cache:
    """A directory of models that several processes may share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def lookup(self, digest: str) -> Artifact | None:
        """The entry for a digest, verified; None where there is none or it is damaged."""
        entry = self._entry(digest)
        if not entry.is_dir():
            return None
        try:
            return verify(entry, None, digest, str(entry))
        except (LoadError, FileNotFoundError) as error:  # perhaps it is just being replaced
            log.warning("a cached model is damaged and is fetched anew", problem=str(error))
            return None

    @contextmanager
    def filling(self, digest: str | None) -> Iterator[Filling]:
        """A place to fetch a model to, with everybody else who wants the same kept waiting.

        Look for the entry again inside: another process may have been faster. What is there of a
        known digest when the store breaks off, or the process is told to end, is kept for whoever
        comes next; all else is removed.

        Raises:
            LoadError: InternalError where the cache cannot be written.
        """
        key = uuid.uuid4().hex if digest is None else _key(digest)
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._lock(key), what=f"it fetches {digest}"):
                self._sweep(key)
                partial = self._root / f".partial-{key}"
                filling = Filling(partial, digest)
                filling.files.mkdir(parents=True, exist_ok=True)
                keep = False
                try:
                    yield filling
                except LoadError as error:
                    keep = digest is not None and error.reason is LoadFailure.STORE_UNREACHABLE
                    raise
                except OSError as error:
                    raise self._unwritable(error) from error  # before room is made
                except (KeyboardInterrupt, SystemExit):
                    keep = digest is not None
                    raise
                finally:
                    if not (keep and filling.has_records):
                        shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def commit(self, filling: Filling, digest: str) -> Path:
        """Makes what was written in ``filling`` the entry for its digest."""
        entry = self._entry(digest)
        if filling.digest is not None:
            self._replace(filling.files, entry)
            return entry
        with locked(self._lock(_key(digest)), what=f"it fetches {digest}"):
            if self.lookup(digest) is None:
                self._replace(filling.files, entry)
        return entry

    def require_room(self, size: int) -> None:
        """Looks whether so many bytes more fit.

        Raises:
            LoadError: InternalError, with the numbers.
        """
        free = shutil.disk_usage(self._root).free
        if size > free:
            raise LoadError(
                LoadFailure.INTERNAL_ERROR,
                f"{self._root}: the disk is too full: the model needs {_mebibytes(size)} more, "
                f"{_mebibytes(free)} are free. Give --cache-dir a directory with enough room",
            )

    @staticmethod
    def _replace(files: Path, entry: Path) -> None:
        if entry.exists():  # damaged, or of the same contents
            shutil.rmtree(entry)
        files.rename(entry)

    def _sweep(self, own: str) -> None:
        """Removes what killed processes left behind and nobody will go on with."""
        for partial in self._root.glob(".partial-*"):
            key = partial.name.removeprefix(".partial-")
            if key == own:
                continue
            with suppress(FileNotFoundError):
                age = time.time() - partial.stat().st_mtime
                if key.startswith(_KEPT) and age < ABANDONED_SECONDS:
                    continue
                with locked(self._lock(key), wait=False) as is_left:
                    if is_left:
                        shutil.rmtree(partial, ignore_errors=True)

    def _unwritable(self, error: OSError) -> LoadError:
        what = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            with suppress(OSError):
                usage = shutil.disk_usage(self._root)
                what += f" ({_mebibytes(usage.free)} of {_mebibytes(usage.total)} are free)"
        return LoadError(
            LoadFailure.INTERNAL_ERROR,
            f"{self._root}: the cache cannot be written: {what}. "
            "Give --cache-dir a writable directory with enough room",
        )

    def _lock(self, key: str) -> Path:
        return self._root / f".lock-{key}"

    def _entry(self, digest: str) -> Path:
        return self._root / _key(digest)


def _key(digest: str) -> str:
    return digest.replace(":", "-")


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
