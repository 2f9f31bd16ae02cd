"""A server that speaks Google Cloud Storage's protocol: fake-gcs-server, which runs here."""

import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest

from perennial_images import golang
from perennial_images.golang import GoPart

PATIENCE = 60.0
_PART = GoPart(
    "fake-gcs-server",
    Path(__file__).parent / "fake_gcs",
    {"fake-gcs-server": "github.com/fsouza/fake-gcs-server"},
)

needs_gcs = pytest.mark.skipif(
    shutil.which("go") is None, reason="the GCS server is built with Go, which is not on PATH"
)


class GcsServer:
    """Runs with the bucket ``models``."""

    def __init__(self, root: Path) -> None:
        (root / "models").mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        binary = golang.build(_PART) / "fake-gcs-server"
        self._process = subprocess.Popen(
            [
                *(str(binary), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
                *("-public-host", self.host, "-backend", "filesystem"),
                *("-filesystem-root", str(root)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def upload(self, name: str, data: bytes) -> None:
        url = f"http://{self.host}/upload/storage/v1/b/models/o?uploadType=media&name="
        request = urllib.request.Request(url + quote(name, safe=""), data, method="POST")
        urllib.request.urlopen(request, timeout=PATIENCE).close()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://{self.host}/storage/v1/b", timeout=5).close()
        except OSError:
            return False
        return True
