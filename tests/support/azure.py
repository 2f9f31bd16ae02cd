"""A server that speaks Azure Blob Storage's protocol: Azurite, where it is installed."""

import base64
import email.utils
import hashlib
import hmac
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import obstore
import pytest
from obstore.store import AzureStore

PATIENCE = 60.0
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Every Azurite's: it is published, and no secret."""

needs_azurite = pytest.mark.skipif(
    shutil.which("azurite-blob") is None,
    reason="azurite-blob is not on PATH: npm install --global azurite",
)


class AzureServer:
    """Runs on a free port."""

    def __init__(self, root: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        self._process = subprocess.Popen(
            [
                *("azurite-blob", "--silent", "--skipApiVersionCheck", "--disableTelemetry"),
                *("--location", str(root), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
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
        store = AzureStore(
            "models",
            account_name=ACCOUNT,
            account_key=KEY,
            endpoint=self.url,
            client_options={"allow_http": True},
        )
        obstore.put(store, name, data)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def make_container(self, name: str) -> None:
        """A request that is signed by the scheme SharedKey of the service's documentation."""
        headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
        signed = "\n".join(f"{key}:{value}" for key, value in headers.items())
        blanks = "\n" * 12
        text = f"PUT{blanks}{signed}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        digest = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
        headers["Content-Length"] = "0"
        url = f"{self.url}/{name}?restype=container"
        request = urllib.request.Request(url, headers=headers, method="PUT")
        urllib.request.urlopen(request, timeout=PATIENCE).close()

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True
