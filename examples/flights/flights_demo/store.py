"""S3 server in the cluster, for bundles, tables and reports."""

import contextlib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import duckdb
import obstore
import pandas as pd
from obstore.exceptions import NotFoundError
from obstore.store import S3Store

from perennial_contracts.wire.bundle import MANIFEST_NAME
from perennial_contracts.wire.digest import digest_of

from .reach import Endpoint

BUCKET = "models"
REGION = "us-east-1"


def open_bucket(endpoint: Endpoint, keys: Mapping[str, str]) -> S3Store:
    """Open the bucket ``models``; create it if it does not exist."""
    store = S3Store(
        BUCKET,
        endpoint=endpoint.url,
        access_key_id=keys["AWS_ACCESS_KEY_ID"],
        secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region=REGION,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    # obstore cannot create a bucket, but it can sign the request.
    url = obstore.sign(store, "PUT", "", timedelta(minutes=1))
    with contextlib.suppress(urllib.error.HTTPError):  # it exists already
        urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()
    return store


def upload(store: S3Store, prefix: str, files: Mapping[str, bytes]) -> str:
    """Upload a bundle below a prefix, and return its URI.

    Files at a URI never change, because models are pinned by their digest. If another bundle has
    the prefix, a part of the digest is added to it.
    """
    if _manifest(store, prefix) not in (None, files[MANIFEST_NAME]):
        digest = digest_of(files[MANIFEST_NAME])
        prefix = f"{prefix}-{digest.removeprefix('sha256:')[:12]}"
    # bundle.json is last, so that all files that it lists exist before it.
    for name in sorted(files, key=lambda name: name == MANIFEST_NAME):
        obstore.put(store, f"{prefix}/{name}", files[name])
    return f"s3://{BUCKET}/{prefix}/"


def upload_table(store: S3Store, key: str, table: pd.DataFrame) -> str:
    """Upload a table as Parquet, and return its URI."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        file = Path(folder, "table.parquet")
        connection.register("rows", table)
        connection.execute(f"COPY rows TO '{file}' (FORMAT parquet)")
        obstore.put(store, key, file)
    return f"s3://{BUCKET}/{key}"


def download(store: S3Store, uri: str, target: Path) -> None:
    """Download an object of the bucket by its URI."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(obstore.get(store, uri.removeprefix(f"s3://{BUCKET}/")).bytes())


def clear(store: S3Store, prefix: str) -> int:
    """Delete all objects below a prefix, and return their number."""
    found = [meta["path"] for page in obstore.list(store, f"{prefix}/") for meta in page]
    if found:
        obstore.delete(store, found)
    return len(found)


def _manifest(store: S3Store, prefix: str) -> bytes | None:
    try:
        return bytes(obstore.get(store, f"{prefix}/{MANIFEST_NAME}").bytes())
    except (NotFoundError, FileNotFoundError):
        return None
