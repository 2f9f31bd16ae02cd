"""A real S3 server: versitygw."""

import shutil
from pathlib import Path

import pytest

from perennial_build import golang
from perennial_images.scratch import SCRATCH_IMAGES
from support.store_server import StoreServer, free_port

KEYS = {
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-some-length",
    "AWS_REGION": "us-east-1",
}
"""Variables for clients of the server, without its URL."""

needs_s3 = pytest.mark.skipif(
    shutil.which("go") is None, reason="the S3 server is built with Go, which is not on PATH"
)


class S3Server(StoreServer):
    """S3 server with the buckets ``models`` and ``captured``."""

    def __init__(self, root: Path) -> None:
        self.buckets = root / "buckets"
        for name in ("models", "captured"):
            (self.buckets / name).mkdir(parents=True)
        (root / "sidecar").mkdir()
        address = f"127.0.0.1:{free_port()}"
        binary = golang.build(SCRATCH_IMAGES["store"].part) / "versitygw"
        super().__init__(
            f"http://{address}",
            [
                *(str(binary), "--port", address, "--quiet"),
                *("--access", KEYS["AWS_ACCESS_KEY_ID"]),
                *("--secret", KEYS["AWS_SECRET_ACCESS_KEY"]),
                *("posix", "--sidecar", str(root / "sidecar"), str(self.buckets)),
            ],
        )
        self.environment = {**KEYS, "AWS_ENDPOINT_URL": self.url}
