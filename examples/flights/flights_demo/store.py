"""The S3 server in the cluster: a bundle goes there, reports come from there."""

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
    """The bucket ``models``, which is made where it is missing."""
    store = S3Store(
        BUCKET,
        endpoint=endpoint.url,
        access_key_id=keys["AWS_ACCESS_KEY_ID"],
        secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region=REGION,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    # obstore has no call that makes a bucket, but it signs one.
    url = obstore.sign(store, "PUT", "", timedelta(minutes=1))
    with contextlib.suppress(urllib.error.HTTPError):  # it is there already
        urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()
    return store


def upload(store: S3Store, prefix: str, files: Mapping[str, bytes]) -> str:
    """Puts a bundle under a prefix; its URI.

    Bytes that lie at an address never change, since models are pinned by what was found there.
    Where another bundle has the prefix, this one goes beside it, under a part of its digest.
    """
    if _manifest(store, prefix) not in (None, files[MANIFEST_NAME]):
        digest = digest_of(files[MANIFEST_NAME])
        prefix = f"{prefix}-{digest.removeprefix('sha256:')[:12]}"
    # bundle.json goes last: whoever finds it finds everything that it lists.
    for name in sorted(files, key=lambda name: name == MANIFEST_NAME):
        obstore.put(store, f"{prefix}/{name}", files[name])
    return f"s3://{BUCKET}/{prefix}/"


def upload_table(store: S3Store, key: str, table: pd.DataFrame) -> str:
    """Puts a table as Parquet; its URI."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        file = Path(folder, "table.parquet")
        connection.register("rows", table)
        connection.execute(f"COPY rows TO '{file}' (FORMAT parquet)")
        obstore.put(store, key, file)
    return f"s3://{BUCKET}/{key}"


def download(store: S3Store, uri: str, target: Path) -> None:
    """Copies an object of the bucket, named by its URI, to a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(obstore.get(store, uri.removeprefix(f"s3://{BUCKET}/")).bytes())


def clear(store: S3Store, prefix: str) -> int:
    """Deletes all objects below a prefix; how many there were."""
    found = [meta["path"] for page in obstore.list(store, f"{prefix}/") for meta in page]
    if found:
        obstore.delete(store, found)
    return len(found)


def _manifest(store: S3Store, prefix: str) -> bytes | None:
    try:
        return bytes(obstore.get(store, f"{prefix}/{MANIFEST_NAME}").bytes())
    except (NotFoundError, FileNotFoundError):
        return None
