"""Parse URIs of buckets: S3, Google Cloud Storage and Azure. No input or output."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

BucketKind = Literal["S3", "Gcs", "Azure"]
AZURE_HOSTS = (".blob.core.windows.net", ".dfs.core.windows.net")
"""Ends of the host names of storage accounts."""


@dataclass(frozen=True)
class Bucket:
    """A bucket; Azure calls it a container."""

    kind: BucketKind
    uri: str
    """Start of its objects' URIs, up to the slash."""
    name: str
    account: str | None = None
    """Azure's storage account; None for the account that the environment names."""
    public: bool = False
    """If true, it is read without credentials when the environment has none."""


def parse_bucket(uri: str) -> tuple[Bucket, str] | None:
    """Return the bucket of a URI and the key in it, without slashes around the key.

    ``s3://``, ``gs://``, ``az://CONTAINER/``, ``abfs[s]://CONTAINER@ACCOUNT.dfs.core.windows.net/``
    and ``https://ACCOUNT.blob.core.windows.net/CONTAINER/``. None for any other URI.

    >>> parse_bucket("gs://models/delays/1/")
    (Bucket(kind='Gcs', uri='gs://models', name='models', account=None, public=False), 'delays/1')

    Raises:
        ValueError: if the URI names no bucket.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return None
    # Not split further: '?' and '#' are ordinary characters of a key.
    host, _, key = rest.partition("/")
    key = key.strip("/")
    if scheme in ("s3", "gs", "az"):
        kind: BucketKind = "S3" if scheme == "s3" else "Gcs" if scheme == "gs" else "Azure"
        if not host:
            expected = "a container" if kind == "Azure" else "a bucket"
            raise ValueError(f"expected {expected}, got none")
        return Bucket(kind, f"{scheme}://{host}", host), key
    if scheme in ("abfs", "abfss"):
        name, _, account_host = host.partition("@")
        if not name or not account_host:
            raise ValueError(f"expected {scheme}://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH")
        return Bucket("Azure", f"{scheme}://{host}", name, account_host.partition(".")[0]), key
    if scheme == "https":
        return _parse_azure_url(uri)
    return None


def _parse_azure_url(uri: str) -> tuple[Bucket, str] | None:
    """Return container and key of a URL.

    None for a URL with a query, a shared access signature: only the URL as a whole can be read.
    """
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if not host.endswith(AZURE_HOSTS) or parts.query:
        return None
    name, _, key = unquote(parts.path).strip("/").partition("/")
    if not name:
        raise ValueError("expected a container, got none")
    if not key and name.endswith(".onnx"):
        return None  # in the account's root, which only a URL can name
    return Bucket("Azure", f"https://{host}/{name}", name, host.partition(".")[0], True), key
