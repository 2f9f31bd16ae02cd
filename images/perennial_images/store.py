"""The local image store: archives in the cache, by the image's name and content tag."""

from __future__ import annotations

from pathlib import Path

from perennial_images.archive import read_archive
from perennial_images.cache import cache_root
from perennial_images.errors import ReportedError

KEPT_BUILDS = 4


def store_root() -> Path:
    return cache_root() / "images"


def archives() -> list[Path]:
    """All archives, the newest last."""
    return sorted(store_root().glob("*.oci.tar"), key=_changed)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has pruned it just now
        return 0.0


def prune(name: str) -> None:
    """Forget an image's older builds: every change of a source makes another one."""
    builds = [path for path in archives() if path.name.rpartition("-")[0] == name]
    for path in builds[:-KEPT_BUILDS]:
        path.unlink(missing_ok=True)


def find_archive(image: str) -> Path:
    """Find an archive by its path, or by the name of the image in it."""
    if (path := Path(image)).is_file():
        return path
    known = {read_archive(path).reference: path for path in archives()}
    if image in known:
        return known[image]
    names = "\n".join(f"    {name}" for name in known) or "    (none)"
    raise ReportedError(
        f"{image} is neither a file nor an image in the local store {store_root()}, which holds\n"
        f"{names}\nRun `perennial-images build`, or give the path of an archive"
    )
