"""Wheels, downloaded and built before the build of an image, which has no network."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from perennial_build.cache import TREE, cache_root, cached, content_hash
from perennial_build.errors import ReportedError
from perennial_build.progress import run_step

# The Python of both base images, which can differ from the one that runs this.
_TARGET = ("--python-version", "3.11", "--implementation", "cp", "--only-binary", ":all:")
_PLATFORMS = (
    *("manylinux_2_36_x86_64", "manylinux_2_28_x86_64", "manylinux_2_27_x86_64"),
    *("manylinux_2_17_x86_64", "manylinux2014_x86_64"),
)
PIP_LOCK = TREE / "hack" / "images" / "pip.txt"


def wheelhouse(lock: Path) -> Path:
    """Return the folder with the wheels of a lock, after downloading them if missing."""
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]

    def download(folder: Path) -> None:
        run_step(
            f"downloading the wheels of {lock.name}",
            [
                *(*_pip(), "download", "--require-hashes", "--no-deps", *_TARGET, *platforms),
                *("--dest", folder, "--requirement", lock, "--requirement", PIP_LOCK),
            ],
            cache_root() / "logs" / f"wheels-{lock.stem}.log",
        )

    tag = content_hash([lock, PIP_LOCK], *_TARGET, *_PLATFORMS)
    return cached(cache_root() / "wheels" / f"{lock.stem}-{tag}", download)


def project_wheel(target: Path, packages: list[Path]) -> None:
    """Build the project's wheel with some of its packages: those of one image."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(TREE / name, scratch)
        for package in packages:
            place = Path(scratch) / package.relative_to(TREE)
            shutil.copytree(package, place, ignore=shutil.ignore_patterns("__pycache__"))
        run_step(
            "building the project's wheel",
            [*_pip(), "wheel", "--no-deps", "--wheel-dir", target, scratch],
            cache_root() / "logs" / "project-wheel.log",
        )


def install(wheel: Path) -> None:
    """Install a wheel into the environment of this Python."""
    run_step(
        f"installing {wheel.name.partition('-')[0]}",
        [*_pip(), "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall", wheel],
        cache_root() / "logs" / "install.log",
    )


def _pip() -> list[str | Path]:
    if importlib.util.find_spec("pip") is None:
        raise ReportedError(
            f"{sys.executable} has no pip. Fix: run `{sys.executable} -m ensurepip`"
        )
    return [sys.executable, "-m", "pip"]
