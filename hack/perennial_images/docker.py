"""The check for Docker."""

from __future__ import annotations

import shutil
import subprocess


def docker_answers() -> bool:
    """Return whether a Docker daemon runs. Many machines have only the client."""
    if shutil.which("docker") is None:
        return False
    try:
        subprocess.run(["docker", "info"], capture_output=True, check=True, timeout=20)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True
