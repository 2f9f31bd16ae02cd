"""Which bucket a URI means."""

from urllib.parse import unquote, urlsplit

from perennial_contracts.outcome import LoadFailure

from ..errors import LoadError
from . import azure, gcs, s3
from .object_store import Bucket


def bucket_of(uri: str) -> tuple[Bucket, str] | None:
    """The bucket that a URI means and the key in it, without slashes around it.

    ``s3://``, ``gs://``, ``az://CONTAINER/``, ``abfs[s]://CONTAINER@ACCOUNT.dfs.core.windows.net/``
    and ``https://ACCOUNT.blob.core.windows.net/CONTAINER/``. None for any other URI.

    Raises:
        LoadError: ModelNotFound for a URI without a bucket.
    """
    scheme, found, rest = uri.partition("://")
    if not found:
        return None
    # Not split further: '?' and '#' are ordinary characters of a key.
    place, _, key = rest.partition("/")
    key = key.strip("/")
    if scheme in ("s3", "gs", "az"):
        if not place:
            what = "a container" if scheme == "az" else "a bucket"
            raise LoadError(LoadFailure.MODEL_NOT_FOUND, f"{uri}: expected {what}, got none")
        if scheme == "az":
            return azure.container(f"az://{place}", place), key
        return (s3 if scheme == "s3" else gcs).bucket(place), key
    if scheme in ("abfs", "abfss"):
        name, _, host = place.partition("@")
        if not name or not host:
            raise LoadError(
                LoadFailure.MODEL_NOT_FOUND,
                f"{uri}: expected {scheme}://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH",
            )
        account = host.partition(".")[0]
        return azure.container(f"{scheme}://{place}", name, account), key
    if scheme == "https":
        return _azure_url(uri)
    return None


def _azure_url(uri: str) -> tuple[Bucket, str] | None:
    """A URL with a query (a shared access signature) is a web server's like any other."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if not host.endswith(azure.HOSTS) or parts.query:
        return None
    name, _, key = unquote(parts.path).strip("/").partition("/")
    if not name:
        raise LoadError(LoadFailure.MODEL_NOT_FOUND, f"{uri}: expected a container, got none")
    if not key and name.endswith(".onnx"):
        return None  # of the account's root, which only a URL can name
    account = host.partition(".")[0]
    return azure.container(f"https://{host}/{name}", name, account, public=True), key
