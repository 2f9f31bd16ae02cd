"""Where built things are kept: outside the tree, by the hash of what they were built from."""

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
"""The root of the repository: sources are read from it, nothing is written to it."""

HASH_DIGITS = 12


def cache_root() -> Path:
    """The cache folder, which the environment may move."""
    if chosen := os.environ.get("PERENNIAL_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "perennial"


def source_files(folder: Path) -> list[Path]:
    """The files under a folder that take part in a build, in a fixed order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )


def content_hash(paths: Iterable[Path], *facts: str, root: Path = TREE) -> str:
    """Name a build by its inputs: the files (a folder counts with all below it) and facts.

    Every item is hashed with its length, so that no two lists of inputs can run together.
    """
    digest = hashlib.sha256()

    def add(item: bytes) -> None:
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
    """Hold a lock between processes: two builds of one thing would only slow each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path, fallback_to_soft=False):
        yield


def cached(target: Path, build: Callable[[Path], None]) -> Path:
    """Give `target`, built first where it is missing.

    `build` gets a path beside the target, and only a finished result is renamed into place:
    an interrupted build leaves nothing that a later one could take for a result.
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
