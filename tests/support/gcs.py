"""Server with the protocol of Google Cloud Storage: fake-gcs-server."""

import json
import shutil
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from perennial_build import golang
from perennial_build.golang import GoPart
from support.store_server import PATIENCE, StoreServer, free_port

_PART = GoPart(
    "fake-gcs-server",
    Path(__file__).parent / "fake_gcs",
    {"fake-gcs-server": "github.com/fsouza/fake-gcs-server"},
)

needs_gcs = pytest.mark.skipif(
    shutil.which("go") is None, reason="the GCS server is built with Go, which is not on PATH"
)


class GcsServer(StoreServer):
    """fake-gcs-server with the buckets ``models`` and ``captured``."""

    def __init__(self, root: Path) -> None:
        for name in ("models", "captured"):
            (root / name).mkdir(parents=True)
        port = free_port()
        self.host = f"127.0.0.1:{port}"
        binary = golang.build(_PART) / "fake-gcs-server"
        super().__init__(
            f"http://{self.host}/storage/v1/b",
            [
                *(str(binary), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
                *("-public-host", self.host, "-backend", "filesystem"),
                *("-filesystem-root", str(root)),
            ],
        )
        self.environment = {"STORAGE_EMULATOR_HOST": self.host}

    def upload(self, name: str, data: bytes) -> None:
        url = f"http://{self.host}/upload/storage/v1/b/models/o?uploadType=media&name="
        request = urllib.request.Request(url + quote(name, safe=""), data, method="POST")
        urllib.request.urlopen(request, timeout=PATIENCE).close()


class WritableGcsServer(GcsServer):
    """fake-gcs-server that also accepts objects by plain PUT, at a separate address.

    Google does so. fake-gcs-server accepts only requests that look signed, and its responses lack
    Google's ETag.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._port = free_port()
        self.writing = {"STORAGE_EMULATOR_HOST": f"127.0.0.1:{self._port}"}

    def start(self) -> None:
        super().start()
        self._door = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        threading.Thread(target=self._door.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._door.shutdown()
        self._door.server_close()
        super().stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        url = f"http://{self.host}"

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                signed = f"{url}{self.path}?X-Goog-Algorithm=GOOG4-RSA-SHA256"
                request = urllib.request.Request(signed, data, method="PUT")
                try:
                    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                        tag = json.load(answer)["etag"]
                except urllib.error.HTTPError as error:
                    self.send_error(error.code)
                    return
                self.send_response(200)
                self.send_header("ETag", f'"{tag}"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler
