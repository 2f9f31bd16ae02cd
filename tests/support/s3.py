"""A real S3 server, a versitygw that runs here."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from perennial_images import golang
from perennial_images.scratch import SCRATCH_IMAGES

PATIENCE = 60.0
"""Seconds until a server that does not answer counts as broken."""
KEYS = {
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-some-length",
    "AWS_REGION": "us-east-1",
}
"""The variables by which the server is asked, but for its URL."""

needs_s3 = pytest.mark.skipif(
    shutil.which("go") is None, reason="the S3 server is built with Go, which is not on PATH"
)


class S3Server:
    """Runs with the buckets ``models`` and ``captured``."""

    def __init__(self, root: Path) -> None:
        self.buckets = root / "buckets"
        for name in ("models", "captured"):
            (self.buckets / name).mkdir(parents=True)
        (root / "sidecar").mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{self._address}"
        binary = golang.build(SCRATCH_IMAGES["store"].part) / "versitygw"
        self._command = [
            *(str(binary), "--port", self._address, "--quiet"),
            *("--access", KEYS["AWS_ACCESS_KEY_ID"]),
            *("--secret", KEYS["AWS_SECRET_ACCESS_KEY"]),
            *("posix", "--sidecar", str(root / "sidecar"), str(self.buckets)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(30)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True
