"""A cache of built files, outside the tree and named by the hash of their sources."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

TREE = Path(__file__).resolve().parents[2]
"""The root of the repository. Builds read it and never write to it."""

HASH_DIGITS = 12


def cache_root() -> Path:
    """Return the cache folder: PERENNIAL_CACHE, or one in the user's cache."""
    if chosen := os.environ.get("PERENNIAL_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "perennial"


def source_files(folder: Path) -> list[Path]:
    """Return the files of a folder that take part in a build, in a fixed order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )


def content_hash(paths: Iterable[Path], *facts: str, root: Path = TREE) -> str:
    """Return a name for a build: the hash of its source files and facts.

    Args:
        paths: files, and folders with everything below them.
        facts: other inputs, such as the compiler's version.
        root: the folder that the names of the files are relative to.
    """
    digest = hashlib.sha256()

    def add(item: bytes) -> None:
        # With its length, so that different lists of items never give the same bytes.
        digest.update(len(item).to_bytes(8, "big"))
        digest.update(item)

    for path in paths:
        for file in source_files(path) if path.is_dir() else [path]:
            add(str(file.relative_to(root)).encode())
            add(file.read_bytes())
    for fact in facts:
        add(fact.encode())
    return digest.hexdigest()[:HASH_DIGITS]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that excludes other processes; it ends with this process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path, fallback_to_soft=False):
        yield


def cached(target: Path, build: Callable[[Path], None]) -> Path:
    """Return `target`, after building it if it is missing.

    `build` gets a path beside the target, and only a finished result is renamed into place. An
    interrupted build leaves nothing that looks like a result.
    """
    if target.exists():
        return target
    with locked(target.parent / f".{target.name}.lock"):
        if target.exists():
            return target
        for abandoned in target.parent.glob(f".{target.name}.build-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.build-", dir=target.parent))
        try:
            result = work / target.name
            build(result)
            result.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target
