"""The command line: `perennial-images`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from perennial_build.cache import TREE
from perennial_build.errors import ReportedError
from perennial_images import program, rust, scratch
from perennial_images.archive import read_archive
from perennial_images.scratch import Built
from perennial_images.store import archives
from perennial_images.wheels import install

DEFAULT_IMAGES = ("runtime", "operator", "trainer", "store")
RESULT = TREE / "build" / "images.json"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="perennial-images",
        description="Build Perennial's container images, with Docker or without, into the cache.",
    )
    actions = top.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="build the images that the cache does not have")
    names = (*program.PROGRAM_IMAGES, *scratch.SCRATCH_IMAGES)
    build.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help=f"of {', '.join(names)}; default: {' '.join(DEFAULT_IMAGES)}",
    )
    actions.add_parser("front", help="build and install the runtime's native front")
    actions.add_parser("list", help="list the images in the cache")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        if options.action == "list":
            _print_table([(path.name, read_archive(path).reference, path) for path in archives()])
        elif options.action == "front":
            install(rust.front_wheel())
        else:
            built = [_build(name) for name in options.images or DEFAULT_IMAGES]
            record(built)
            _print_table([(image.name, image.reference, image.archive) for image in built])
    except ReportedError as failure:
        print(f"perennial-images: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("perennial-images: interrupted", file=sys.stderr)
        return 130
    return 0


def record(built: Sequence[Built]) -> None:
    """Write the references to build/images.json, for the tests and the demo.

    References of other images remain.
    """
    references = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    references.update({image.name: image.reference for image in built})
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(references, indent=1, sort_keys=True) + "\n")


def _build(name: str) -> Built:
    if name in program.PROGRAM_IMAGES:
        return program.build(name)
    if name in scratch.SCRATCH_IMAGES:
        return scratch.build(name)
    names = ", ".join((*program.PROGRAM_IMAGES, *scratch.SCRATCH_IMAGES))
    raise ReportedError(f"Image {name!r}: expected one of {names}")


def _print_table(rows: Sequence[tuple[str, str, Path]]) -> None:
    width = max((len(row[0]) for row in rows), default=0)
    for name, reference, archive in rows:
        size = archive.stat().st_size / 1e6
        print(f"{name:<{width}}  {size:6.1f} MB  {reference}")
