"""Images of one static Go program: pod sandbox, DNS and S3 server.

``archive`` writes them. buildah could too, and for CoreDNS (52 MB) both take 1.9 s of processor
time, most of it gzip's. But users with Docker have no buildah: each image would be built in two
ways, and `perennial-cluster up` would need a builder, which it does not need today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perennial_build import golang
from perennial_build.cache import TREE, cached, content_hash
from perennial_build.golang import GoPart
from perennial_images import archive
from perennial_images.archive import NONROOT
from perennial_images.store import prune, store_root


@dataclass(frozen=True)
class Built:
    """An image in the local store."""

    name: str
    reference: str
    archive: Path


@dataclass(frozen=True)
class ScratchImage:
    """The name, program and settings of such an image."""

    name: str
    repository: str
    part: GoPart
    program: str
    arguments: Sequence[str] = ()
    folders: Sequence[str] = ()


SCRATCH_IMAGES = {
    image.name: image
    for image in (
        ScratchImage(
            "pause",
            "localhost/perennial-pause",
            GoPart("pause", TREE / "hack" / "images" / "pause", {"pause": "."}),
            "pause",
        ),
        ScratchImage(
            "coredns",
            "localhost/perennial-coredns",
            GoPart("coredns", TREE / "hack" / "node" / "coredns", {"coredns": "."}),
            "coredns",
        ),
        ScratchImage(
            "store",
            "localhost/perennial-store",
            GoPart(
                "store",
                TREE / "hack" / "images" / "store",
                {"versitygw": "github.com/versity/versitygw/cmd/versitygw"},
            ),
            "versitygw",
            # The arguments are for a volume at /data.
            arguments=("--port", ":7070", "--health", "/health", "posix", "/data"),
            folders=("/data",),
        ),
    )
}


def build(name: str) -> Built:
    """Return an image, after building it if it is missing."""
    image = SCRATCH_IMAGES[name]
    writer = Path(archive.__file__)
    settings = [str(NONROOT), *image.arguments, *image.folders]
    tag = content_hash([writer], golang.part_hash(image.part), *settings)
    reference = f"{image.repository}:{tag}"

    def write(target: Path) -> None:
        program = golang.build(image.part) / image.program
        archive.write_scratch_image(
            target,
            reference,
            {image.program: program},
            [f"/{image.program}"],
            folders=image.folders,
            arguments=image.arguments,
        )

    archive_path = cached(store_root() / f"{name}-{tag}.oci.tar", write)
    prune(name)
    return Built(name, reference, archive_path)
