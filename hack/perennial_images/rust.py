"""The runtime's native front: a wheel that is compiled from Rust, into the cache."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from perennial_build.cache import TREE, cache_root, cached, content_hash
from perennial_build.debian import Package, install_packages
from perennial_build.errors import ReportedError
from perennial_build.progress import capture, run_step

FRONT = TREE / "runtime" / "front"
# Debian's newest compiler goes by this name; an own toolchain, from https://rustup.rs, will do.
TOOLCHAIN = (Package("rustc-web", "rustc"), Package("cargo-web", "cargo"))
# What the images' base has: a wheel from a newer system would not load there.
COMPATIBILITY = "manylinux_2_36"


def sources() -> list[Path]:
    """Return the files that the wheel is built from."""
    names = ("Cargo.toml", "Cargo.lock", "pyproject.toml", "perennial_front.pyi", "src")
    return [FRONT / name for name in names]


def front_wheel() -> Path:
    """Return the wheel, after compiling it if it is missing."""
    if shutil.which("cargo") is None:
        install_packages(TOOLCHAIN)
    facts = [capture(["rustc", "--version"]).strip(), platform.machine(), COMPATIBILITY]

    def compile_into(folder: Path) -> None:
        try:
            run_step(
                "building the runtime's front (Rust)",
                [
                    *("nice", "-n", "5", sys.executable, "-m", "maturin", "build", "--release"),
                    *("--locked", "--manifest-path", FRONT / "Cargo.toml", "--out", folder),
                    *("--target-dir", folder.parent / "target"),
                    *(("--compatibility", COMPATIBILITY) if sys.platform == "linux" else ()),
                ],
                cache_root() / "logs" / "front.log",
            )
        except ReportedError as error:
            raise ReportedError(
                f"{error}\nRust 1.85 or newer is needed, on Debian 12 or an equally old Linux"
            ) from error

    tag = content_hash(sources(), *facts)
    folder = cached(cache_root() / "wheels" / f"front-{tag}", compile_into)
    return next(folder.glob("*.whl"))
