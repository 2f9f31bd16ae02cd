"""The local image store: archives in the cache, by the image's name and content tag."""

from __future__ import annotations

from pathlib import Path

from perennial_images.archive import read_archive
from perennial_images.cache import cache_root
from perennial_images.failure import Failure


def store_root() -> Path:
    return cache_root() / "images"


def archives() -> list[Path]:
    """All archives, the newest last."""
    return sorted(store_root().glob("*.oci.tar"), key=lambda path: path.stat().st_mtime)


def find_archive(image: str) -> Path:
    """Find an archive by its path, or by the name of the image in it."""
    if (path := Path(image)).is_file():
        return path
    known = {read_archive(path).reference: path for path in archives()}
    if image in known:
        return known[image]
    names = "\n".join(f"    {name}" for name in known) or "    (none)"
    raise Failure(
        f"{image} is neither a file nor an image in the local store {store_root()}, which holds\n"
        f"{names}\nRun `perennial-images build`, or give the path of an archive"
    )
