"""Whether Docker can be used."""

from __future__ import annotations

import shutil
import subprocess


def docker_answers() -> bool:
    """Whether there is a Docker daemon: the client alone is often installed without one."""
    if shutil.which("docker") is None:
        return False
    try:
        subprocess.run(["docker", "info"], capture_output=True, check=True, timeout=20)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True
