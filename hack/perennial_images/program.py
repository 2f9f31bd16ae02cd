"""Images of Perennial's programs, from their Dockerfiles."""

from __future__ import annotations

import json
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from perennial_build.cache import TREE, cache_root, cached, content_hash
from perennial_build.debian import Package, install_packages
from perennial_build.errors import ReportedError
from perennial_build.progress import Command, run_step
from perennial_images import base, rust, stand_ins, wheels
from perennial_images.docker import docker_answers
from perennial_images.scratch import Built
from perennial_images.store import prune, store_root

INSTALL = TREE / "hack" / "images" / "install.py"
DOCKER_BASE = "python:3.11-slim-bookworm"
BUILDERS = (Package("buildah", "buildah"), Package("mmdebstrap", "mmdebstrap"))
BASE_REFERENCE = "localhost/perennial-base:build"
BASE_DOCKERFILE = """\
FROM scratch
ADD base.tar /
RUN ["/usr/bin/python3", "-m", "compileall", "-q", "/usr/lib/python3.11"]
"""


@dataclass(frozen=True)
class ProgramImage:
    """The image of a program, and the packages that it contains."""

    name: str
    packages: tuple[Path, ...]
    has_front: bool = False
    """True if it contains the runtime's native front."""
    variant_of: str | None = None
    """The program whose Dockerfile it uses, with a lock of its own."""
    has_stand_ins: bool = False
    """True if it contains stand-ins for CUDA's libraries."""

    @property
    def dockerfile(self) -> Path:
        return TREE / (self.variant_of or self.name) / "Dockerfile"

    @property
    def lock(self) -> Path:
        return TREE / "requirements" / f"{self.name}.txt"


PROGRAM_IMAGES = {
    name: ProgramImage(
        name,
        tuple(TREE / folder / f"perennial_{folder}" for folder in folders),
        has_front=name == "runtime",
    )
    for name, folders in {
        "runtime": ("contracts", "storage", "runtime"),
        "operator": ("contracts", "operator"),
        "trainer": ("contracts", "storage", "trainer"),
    }.items()
}
# Too large to build by default: TensorFlow (for Keras, SavedModel and TFLite) and PyTorch.
PROGRAM_IMAGES |= {
    name: ProgramImage(
        name,
        PROGRAM_IMAGES["trainer"].packages,
        variant_of="trainer",
        has_stand_ins=name == "trainer-torch",
    )
    for name in ("trainer-tf", "trainer-torch")
}


def project_facts(pyproject: str) -> str:
    """Return the parts of pyproject.toml that a wheel depends on.

    A linter's setting, for one, must not change the tag of an image.
    """
    document = tomllib.loads(pyproject)
    project = {
        key: value
        for key, value in document["project"].items()
        if key not in ("optional-dependencies", "dependencies", "readme")
    }
    hatch = document.get("tool", {}).get("hatch", {}).get("build", {}).get("targets", {})
    return json.dumps([document["build-system"], project, hatch], sort_keys=True)


def tag(image: ProgramImage, *, docker: bool) -> str:
    """Return the image's tag: the hash of all its inputs."""
    here = Path(__file__)
    more = rust.sources() if image.has_front else []
    more += [Path(stand_ins.__file__)] if image.has_stand_ins else []
    recipe = [DOCKER_BASE] if docker else [Path(base.__file__).read_text(), BASE_DOCKERFILE]
    return content_hash(
        [image.dockerfile, image.lock, wheels.PIP_LOCK, INSTALL, here, *image.packages, *more],
        project_facts((TREE / "pyproject.toml").read_text()),
        *recipe,
    )


def build(name: str) -> Built:
    """Return an image, after building it if it is missing."""
    image = PROGRAM_IMAGES[name]
    for path in (image.dockerfile, image.lock, *image.packages):
        if not path.exists():
            raise ReportedError(f"{path} is missing: the {name} image needs it")
    docker = docker_answers()
    reference = f"localhost/perennial-{name}:{(label := tag(image, docker=docker))}"

    def make(archive: Path) -> None:
        context = archive.parent / "context"
        _fill_context(image, context)
        if docker:
            _build_with_docker(image, context, reference, archive)
        else:
            _build_with_buildah(image, context, reference, archive)

    archive_path = cached(store_root() / f"{name}-{label}.oci.tar", make)
    prune(name)
    return Built(name, reference, archive_path)


def _fill_context(image: ProgramImage, context: Path) -> None:
    context.mkdir()
    shutil.copytree(wheels.wheelhouse(image.lock), context / "wheels")
    wheels.project_wheel(context / "project", list(image.packages))
    if image.has_front:
        shutil.copy(rust.front_wheel(), context / "project")
    if image.has_stand_ins:
        shutil.copytree(stand_ins.of(next(context.glob("wheels/torch-*.whl"))), context / "lib")
    shutil.copy(image.lock, context / "requirements.txt")
    shutil.copy(INSTALL, context)
    shutil.copy(image.dockerfile, context)


def _build_with_docker(image: ProgramImage, context: Path, reference: str, archive: Path) -> None:
    log = cache_root() / "logs" / f"image-{image.name}.log"
    build_command: Command = ["docker", "build", "--tag", reference, context]
    run_step(f"building the {image.name} image", build_command, log)
    save: Command = ["docker", "save", "--output", archive, reference]
    run_step(f"saving the {image.name} image", save, log)


def _build_with_buildah(image: ProgramImage, context: Path, reference: str, archive: Path) -> None:
    """Build an image with buildah, in a temporary storage."""
    install_packages(BUILDERS)
    logs = cache_root() / "logs"
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        storage = ["--storage-driver", "vfs", "--root", f"{scratch}/root"]
        buildah: list[str | Path] = ["buildah", *storage, "--runroot", f"{scratch}/run"]
        bud: list[str | Path] = [*buildah, "bud", "--isolation", "chroot", "--timestamp", "0"]
        foundation = Path(scratch) / "base"
        foundation.mkdir()
        (foundation / "base.tar").hardlink_to(base.tree_archive())
        (foundation / "Dockerfile").write_text(BASE_DOCKERFILE)
        prepare = [*bud, "--tag", BASE_REFERENCE, foundation]
        run_step("preparing the base image", prepare, logs / "base.log")
        argument = ["--build-arg", f"BASE={BASE_REFERENCE}"]
        run_step(
            f"building the {image.name} image",
            [*bud, *argument, "--tag", reference, context],
            logs / f"image-{image.name}.log",
        )
        run_step(
            f"packing the {image.name} image",
            [*buildah, "push", reference, f"oci-archive:{archive}:{reference}"],
            logs / f"image-{image.name}-push.log",
        )
