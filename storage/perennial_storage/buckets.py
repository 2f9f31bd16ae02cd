"""Which bucket a URI means."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

Kind = Literal["S3", "Gcs", "Azure"]
AZURE_HOSTS = (".blob.core.windows.net", ".dfs.core.windows.net")
"""How the host names of accounts end."""


@dataclass(frozen=True)
class Place:
    """A bucket; Azure calls it a container."""

    kind: Kind
    uri: str
    """What its objects' URIs begin with, up to the slash."""
    name: str
    account: str | None = None
    """Azure's storage account; None for the one of the variables."""
    public: bool = False
    """Whether it is read without credentials where the variables give none."""


def find(uri: str) -> tuple[Place, str] | None:
    """The bucket that a URI means and the key in it, without slashes around it.

    ``s3://``, ``gs://``, ``az://CONTAINER/``, ``abfs[s]://CONTAINER@ACCOUNT.dfs.core.windows.net/``
    and ``https://ACCOUNT.blob.core.windows.net/CONTAINER/``. None for any other URI.

    >>> find("gs://models/delays/1/")
    (Place(kind='Gcs', uri='gs://models', name='models', account=None, public=False), 'delays/1')

    Raises:
        ValueError: for a URI without a bucket.
    """
    scheme, found, rest = uri.partition("://")
    if not found:
        return None
    # Not split further: '?' and '#' are ordinary characters of a key.
    place, _, key = rest.partition("/")
    key = key.strip("/")
    if scheme in ("s3", "gs", "az"):
        kind: Kind = "S3" if scheme == "s3" else "Gcs" if scheme == "gs" else "Azure"
        if not place:
            what = "a container" if kind == "Azure" else "a bucket"
            raise ValueError(f"{uri}: expected {what}, got none")
        return Place(kind, f"{scheme}://{place}", place), key
    if scheme in ("abfs", "abfss"):
        name, _, host = place.partition("@")
        if not name or not host:
            raise ValueError(
                f"{uri}: expected {scheme}://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
            )
        return Place("Azure", f"{scheme}://{place}", name, host.partition(".")[0]), key
    if scheme == "https":
        return _azure_url(uri)
    return None


def _azure_url(uri: str) -> tuple[Place, str] | None:
    """A URL with a query (a shared access signature) is a web server's like any other."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if not host.endswith(AZURE_HOSTS) or parts.query:
        return None
    name, _, key = unquote(parts.path).strip("/").partition("/")
    if not name:
        raise ValueError(f"{uri}: expected a container, got none")
    if not key and name.endswith(".onnx"):
        return None  # of the account's root, which only a URL can name
    return Place("Azure", f"https://{host}/{name}", name, host.partition(".")[0], True), key
