"""Which store a URI means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from perennial_contracts import buckets
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError
from .backend import Backend
from .uris import is_web, without_secrets

WRITTEN = (
    "s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, "
    "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
)
"""Where bundles can be put."""
READ = f"{WRITTEN}, http(s)://HOST/PATH, hf://ORGANISATION/REPOSITORY[@REVISION]/PATH"


def connect(uri: str, field: str, *, create: bool) -> Backend:
    """The folder that a URI means. No input or output, but for a folder on this machine.

    Args:
        uri: of the folder.
        field: the setting that holds it, for messages.
        create: whether files are put there; a folder on this machine is made.

    Raises:
        StepError: ModelNotFound for a URI that is none, or a path where nothing is; AccessDenied
            where the variables do not fit; UnsupportedModel for hf:// without its client.
    """
    try:
        if found := buckets.find(uri):
            from .objects import BucketFolder

            return BucketFolder(*found, uri, field)
        if is_web(uri) and urlsplit(uri).hostname and not create:
            from .web import WebFolder

            return WebFolder(uri, field)
        if uri.startswith("hf://") and not create:
            from .hub import HubFolder, parse

            return HubFolder(*parse(uri), field)
    except ValueError as error:
        raise StepError(LoadFailure.MODEL_NOT_FOUND, f"{field}: {error}") from error
    if uri.startswith("file://") or "://" not in uri:
        from .objects import LocalFolder

        path = Path(unquote(urlsplit(uri).path)) if "://" in uri else Path(uri)
        if path.is_dir() or create:
            return LocalFolder(path, uri, field, create=create)
        raise StepError(LoadFailure.MODEL_NOT_FOUND, f"{field}: there is no folder {path}")
    raise StepError(
        LoadFailure.MODEL_NOT_FOUND,
        f"{field}: expected {WRITTEN if create else READ} or a path, got {without_secrets(uri)}",
    )
