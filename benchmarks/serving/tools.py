"""Load generators: wrk for HTTP, h2load for gRPC, both of Debian."""

import os
import shutil
import subprocess
import sys

PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client"}


def ensure() -> None:
    """Install missing packages if the user is root.

    Raises:
        SystemExit: they cannot be installed; with the fix.
    """
    missing = [program for program in PACKAGES if shutil.which(program) is None]
    if not missing:
        return
    packages = [PACKAGES[program] for program in missing]
    advice = f"{' and '.join(missing)}: not found. Install the package {' and '.join(packages)}"
    if shutil.which("apt-get") is None:
        sys.exit(f"{advice} (Debian's names).")
    if os.geteuid() != 0:
        sys.exit(f"{advice}: sudo apt-get install -y {' '.join(packages)}")
    print(f"==> apt-get install {' '.join(packages)}", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", *packages],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{advice}; apt-get could not: {done.stderr.strip()[-500:]}")
