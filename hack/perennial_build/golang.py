"""Go programs, pinned by a go.mod each and built into the cache."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perennial_build.cache import cache_root, cached, content_hash
from perennial_build.errors import ReportedError
from perennial_build.progress import capture, run_step


@dataclass(frozen=True)
class GoPart:
    """A folder with a go.mod, and the programs to build from it."""

    name: str
    folder: Path
    programs: Mapping[str, str]
    """Program name to the Go package it is built from."""
    tags: str = ""
    definitions: tuple[str, ...] = ()
    """Variables that the linker sets, such as the version of a release."""
    cgo: bool = False
    names: tuple[str, ...] = field(default=())
    """Further names of the only program."""


def go_version() -> str:
    """Return the version of the installed Go compiler."""
    if shutil.which("go") is None:
        raise ReportedError(
            "Go is not on PATH. Fix: install Go 1.26.3 or newer from https://go.dev/dl"
        )
    return capture(["go", "env", "GOVERSION"]).strip()


def part_hash(part: GoPart) -> str:
    """Return the hash of all inputs of a part's build."""
    programs = [f"{name}={package}" for name, package in sorted(part.programs.items())]
    facts = [go_version(), platform.machine(), part.tags, str(part.cgo), *part.definitions]
    return content_hash([part.folder], *facts, *programs, *part.names, root=part.folder)


def build(part: GoPart) -> Path:
    """Return the folder with a part's programs, after building them if missing."""
    target = cache_root() / "go" / f"{part.name}-{part_hash(part)}"

    def compile_into(folder: Path) -> None:
        folder.mkdir()
        linker = " ".join(["-s -w", *(f"-X {line}" for line in part.definitions)])
        for program, package in part.programs.items():
            run_step(
                f"building {program} (Go)",
                [
                    *("nice", "-n", "5", "go", "build", "-trimpath", "-buildvcs=false"),
                    *("-tags", part.tags, "-ldflags", linker, "-o", folder / program, package),
                ],
                cache_root() / "logs" / f"go-{program}.log",
                cwd=part.folder,
                # A go.work or vendor setting of the user would change the pinned versions.
                env={
                    "CGO_ENABLED": str(int(part.cgo)),
                    "GOWORK": "off",
                    "GOFLAGS": "-mod=readonly",
                },
            )
            for name in part.names:
                (folder / name).symlink_to(program)

    return cached(target, compile_into)
