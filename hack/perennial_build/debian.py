"""Debian packages that the tools need."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from perennial_build.cache import cache_root, locked
from perennial_build.errors import ReportedError
from perennial_build.progress import run_step

# A fresh machine may be installing its updates: wait for that, as apt itself does when asked.
APT = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]


@dataclass(frozen=True)
class Package:
    """A Debian package, and a program or file of it that shows that it is installed."""

    name: str
    provides: str


def missing_packages(packages: tuple[Package, ...]) -> list[str]:
    """Return the packages whose program or file is missing."""
    return [
        package.name
        for package in packages
        if shutil.which(package.provides) is None and not Path(package.provides).is_file()
    ]


def install_packages(packages: tuple[Package, ...]) -> None:
    """Install the missing packages.

    Raises:
        ReportedError: there is no apt or no root; the message has the command to run.
    """
    if not missing_packages(packages):
        return
    # apt waits for the lock of another installation, but not for that of another update.
    with locked(cache_root() / "apt.lock"):
        if missing := missing_packages(packages):
            _install(missing)


def _install(names: list[str]) -> None:
    install = ["install", "--yes", "--no-install-recommends", *names]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ReportedError(
            f"Debian packages are missing: {', '.join(names)}.\n"
            f"Fix: sudo apt-get update && sudo apt-get {' '.join(install)}"
        )
    logs = cache_root() / "logs"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    step = f"installing {len(names)} Debian packages"
    try:
        run_step(step, [*APT, *install], logs / "apt.log", env=quiet)
    except ReportedError:
        # The usual cause is a missing or old package list.
        run_step("updating the list of Debian packages", [*APT, "update"], logs / "apt.log")
        run_step(step, [*APT, *install], logs / "apt.log", env=quiet)
