"""Uploads a bundle to the S3 server in the cluster."""

import contextlib
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import S3Store

from perennial_contracts.bundle import MANIFEST_NAME

from .bundle import Packed
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


def upload(store: S3Store, prefix: str, packed: Packed) -> str:
    """Puts a bundle under a prefix; its URI.

    Bytes that lie at an address never change, since models are pinned by what was found there.
    Where another bundle has the prefix, this one goes beside it, under a part of its digest.
    """
    if _manifest(store, prefix) not in (None, packed.files[MANIFEST_NAME]):
        prefix = f"{prefix}-{packed.digest.removeprefix('sha256:')[:12]}"
    # bundle.json goes last: whoever finds it finds everything that it lists.
    for name in sorted(packed.files, key=lambda name: name == MANIFEST_NAME):
        obstore.put(store, f"{prefix}/{name}", packed.files[name])
    return f"s3://{BUCKET}/{prefix}/"


def _manifest(store: S3Store, prefix: str) -> bytes | None:
    try:
        return bytes(obstore.get(store, f"{prefix}/{MANIFEST_NAME}").bytes())
    except (NotFoundError, FileNotFoundError):
        return None
