"""Virtual environments of the peers, created once."""

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
    """Error: a peer's packages cannot be installed; with the cause."""


def ensure(peer: Peer, folder: Path) -> Path:
    """Return the Python of a peer's environment; create it if necessary.

    Raises:
        InstallError: it cannot be created.
    """
    if not peer.requirements:
        return Path(sys.executable)
    # One version of ONNX Runtime for all: the benchmark compares servers, not engines.
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
