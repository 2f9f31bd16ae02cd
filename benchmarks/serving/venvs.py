"""A virtual environment for each peer, made once and kept."""

import os
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from .peers.base import Peer
from .text import one_line


class InstallError(Exception):
    """A peer's packages do not install; the text says why."""


def ensure(peer: Peer, folder: Path) -> Path:
    """The Python of a peer's environment, made where there is none for these requirements.

    Raises:
        InstallError: when it cannot be made.
    """
    if not peer.requirements:
        return Path(sys.executable)
    # One version of ONNX Runtime for all: the servers are compared, not the engine.
    wanted = [*peer.requirements, f"onnxruntime=={version('onnxruntime')}"]
    target = folder / peer.key
    python, stamp = target / "bin" / "python", target / "requirements.txt"
    if stamp.is_file() and stamp.read_text().split("\n") == wanted:
        return python
    begun = time.monotonic()
    print(f"==> {peer.title}: installing {', '.join(wanted)}", flush=True)
    shutil.rmtree(target, ignore_errors=True)
    _uv("venv", "--python", sys.executable, str(target))
    _uv("pip", "install", "--compile-bytecode", "--python", str(python), *wanted)
    stamp.write_text("\n".join(wanted))
    print(f"    done in {time.monotonic() - begun:.0f} s", flush=True)
    return python


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(
        [str(uv), *arguments], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise InstallError(one_line(done.stderr))
