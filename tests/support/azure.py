"""Server with the protocol of Azure Blob Storage: Azurite, from npm."""

import base64
import email.utils
import hashlib
import hmac
import shutil
import urllib.request
from pathlib import Path

import obstore
import pytest
from obstore.store import AzureStore

from perennial_build.cache import cache_root, cached
from perennial_build.progress import run_step
from support.store_server import PATIENCE, StoreServer, free_port

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Published key of every Azurite, not a secret."""

VERSION = "3.35.0"

needs_azurite = pytest.mark.skipif(
    shutil.which("npm") is None, reason="Azurite is installed with npm, which is not on PATH"
)


def _installed() -> Path:
    """Return the program; install it into the cache if necessary."""

    def install(folder: Path) -> None:
        run_step(
            "installing Azurite (npm)",
            [
                *("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"),
                *("--prefix", folder, f"azurite@{VERSION}"),
            ],
            cache_root() / "logs" / "azurite.log",
        )

    folder = cached(cache_root() / "npm" / f"azurite-{VERSION}", install)
    return folder / "node_modules" / ".bin" / "azurite-blob"


class AzureServer(StoreServer):
    """Azurite on a free port."""

    def __init__(self, root: Path) -> None:
        port = free_port()
        super().__init__(
            f"http://127.0.0.1:{port}/{ACCOUNT}",
            [
                *(str(_installed()), "--silent", "--skipApiVersionCheck", "--disableTelemetry"),
                *("--location", str(root), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
            ],
        )
        self.environment = {
            "AZURE_STORAGE_ENDPOINT": self.url,
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        }

    def upload(self, name: str, data: bytes) -> None:
        store = AzureStore(
            "models",
            account_name=ACCOUNT,
            account_key=KEY,
            endpoint=self.url,
            client_options={"allow_http": True},
        )
        obstore.put(store, name, data)

    def make_container(self, name: str) -> None:
        """Create a container, with a request signed by the scheme SharedKey."""
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
