"""A container writes no bytecode, so its image must contain it for fast starts."""

import json
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from perennial_images.archive import read_archive
from perennial_images.program import build

UNCHECKED_HASH = 1
"""PEP 552: bytecode that is valid without a check of its source."""


def layers(archive: Path) -> Iterator[tarfile.TarFile]:
    with tarfile.open(archive) as image:

        def blob(digest: str) -> IO[bytes]:
            found = image.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert found is not None
            return found

        manifest = json.load(blob(read_archive(archive).digest))
        for layer in manifest["layers"]:
            with tarfile.open(fileobj=blob(layer["digest"]), mode="r|*") as files:
                yield files


def sources_and_bytecode(files: tarfile.TarFile) -> tuple[dict[str, int], dict[str, tuple]]:
    """Return the change times of sources, and the headers of their bytecode, by path."""
    changed, compiled = {}, {}
    for entry in files:
        path = Path(entry.name)
        if path.suffix == ".py":
            changed[entry.name] = int(entry.mtime)
        elif path.suffix == ".pyc" and (data := files.extractfile(entry)):
            _, flags, time = struct.unpack("<4sII", data.read(12))
            compiled[str(path.parent.parent / f"{path.name.split('.')[0]}.py")] = (flags, time)
    return changed, compiled


@pytest.mark.timeout(1800)  # the first build of an image fetches and compiles
@pytest.mark.parametrize("name", ["runtime", "operator", "trainer"])
def test_an_image_contains_fresh_bytecode_of_every_module(name):
    ours = 0
    for files in layers(build(name).archive):
        changed, compiled = sources_and_bytecode(files)
        ours += sum(f"perennial_{name}" in path for path in compiled)
        stale = [
            path
            for path, (flags, time) in compiled.items()
            if flags != UNCHECKED_HASH and time != changed.get(path, time)
        ]
        assert stale == []
    assert ours > 20
