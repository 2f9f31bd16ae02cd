import threading
import time
from pathlib import Path
from typing import Any

import pytest

from perennial_build import debian
from perennial_build.debian import Package, install_packages


def test_one_process_installs_a_missing_package_and_another_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    steps: list[str] = []

    def install(title: str, *arguments: Any, **settings: Any) -> None:
        steps.append(title)
        time.sleep(0.05)  # long enough for the other to come in between, if it could
        program.touch()

    monkeypatch.setenv("PERENNIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(debian, "run_step", install)
    monkeypatch.setattr(debian.shutil, "which", lambda name: name if name == "apt-get" else None)
    monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
    wanted = (Package("program", str(program)),)
    threads = [threading.Thread(target=install_packages, args=(wanted,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert steps == ["installing 1 Debian packages"]
