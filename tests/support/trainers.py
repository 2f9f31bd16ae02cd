"""Environments with the packages of the trainer's images, created once per lock."""

import os
import subprocess
import sys
from pathlib import Path

from perennial_build.cache import TREE, cache_root, cached, content_hash
from perennial_images import stand_ins

UV = Path(sys.executable).parent / "uv"


def make_environment(folder: Path, *wanted: str | Path) -> None:
    """Create an environment with packages for pip. It can be moved afterwards."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install(folder, *wanted)


def install(folder: Path, *wanted: str | Path) -> None:
    """Install packages for pip into an environment."""
    # Where bytecode is not written (PYTHONDONTWRITEBYTECODE), each run would compile it all.
    words = [UV, "pip", "install", "--quiet", "--compile-bytecode"]
    subprocess.run([*words, "--python", folder / "bin" / "python", *wanted], check=True)


def python_of(image: str, *more: str) -> Path:
    """Return the Python of an environment with the packages of an image's lock.

    Args:
        image: trainer, trainer-tf or trainer-torch.
        more: additional requirements.
    """
    lock = TREE / "requirements" / f"{image}.txt"

    def make(folder: Path) -> None:
        make_environment(folder, "--no-deps", "-r", lock)
        if more:
            install(folder, "-c", lock, *more)
        for torch in folder.glob("lib/python*/site-packages/torch"):
            stand_ins.make(torch.rglob("*.so*"), torch / "lib")

    name = f"{image.removeprefix('trainer-')}-{content_hash([lock], *more)}"
    return cached(cache_root() / "trainers" / name, make) / "bin" / "python"


def run(*words: object, **environment: str) -> str:
    """Run a program that finds the trainer; return its output, or fail with it."""
    path = os.pathsep.join(str(TREE / each) for each in ("", "trainer", "storage", "contracts"))
    told = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(list(map(str, words)), env=told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
