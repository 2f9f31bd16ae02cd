"""The local image store: archives in the cache, named by image and tag."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from perennial_build.cache import cache_root, locked
from perennial_build.errors import ReportedError
from perennial_images.archive import read_archive

KEPT_BUILDS = 4


def store_root() -> Path:
    return cache_root() / "images"


def archives() -> list[Path]:
    """Return all archives, the newest last."""
    return sorted(store_root().glob("*.oci.tar"), key=lambda path: path.stat().st_mtime)


def prune(name: str) -> None:
    """Delete an image's older builds: every change of a source makes another one."""
    with _settled():
        builds = [path for path in archives() if path.name.rpartition("-")[0] == name]
        for path in builds[:-KEPT_BUILDS]:
            path.unlink()


def _settled() -> AbstractContextManager[None]:
    """Return the lock for deleting archives."""
    return locked(store_root() / ".lock")


def find_archive(image: str) -> Path:
    """Return an archive by its path, or by the name of its image."""
    if (path := Path(image)).is_file():
        return path
    with _settled():
        known = {read_archive(path).reference: path for path in archives()}
    if image in known:
        return known[image]
    names = "\n".join(f"    {name}" for name in known) or "    (none)"
    raise ReportedError(
        f"{image} is neither a file nor an image in the local store {store_root()}:\n"
        f"{names}\nFix: run `perennial-images build`, or give the path of an archive"
    )
