"""Choose the store for a URI.

Each store is imported when a URI needs it: a model server with its model on disk saves the 8 MB
of memory that obstore and the web client take.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from perennial_contracts.wire.outcome import LoadFailure

from .buckets import parse_bucket
from .errors import MODEL_FIELD, StorageError, not_found
from .store import Store
from .uris import is_web, without_secrets

RUNTIME_AGENT, TRAINER_AGENT = "perennial-runtime", "perennial-trainer"
"""User-Agent headers of the programs."""
WRITABLE = (
    "s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, "
    "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
)
READABLE = f"{WRITABLE}, http(s)://HOST/PATH, hf://ORGANISATION/REPOSITORY[@REVISION]/PATH"


@dataclass(frozen=True)
class Location:
    """The target of a model's URI: a folder, or (``file``) one ``.onnx`` file in it."""

    uri: str
    """As given, without secrets."""
    file: str | None
    directory: Path | None = None
    """Set if the model is on this machine already."""
    store: Store | None = None
    """Set otherwise."""


def locate(uri: str) -> Location:
    """Return the location of a model. Only a local path is looked up.

    Raises:
        StorageError: UnsupportedModel for an unknown scheme, ModelNotFound for a URI without a
            bucket or host.
    """
    try:
        if found := parse_bucket(uri):
            from .object_store import BucketStore

            bucket, key = found
            folder, file = _split_model(key)
            return Location(uri, file, store=BucketStore(bucket, folder, MODEL_FIELD))
        if is_web(uri):
            return _on_web(uri)
        if uri.startswith("hf://"):
            from .hub import EXPECTED_MODEL, HubStore, parse_hub

            repository, key = parse_hub(uri, EXPECTED_MODEL)
            if repository.kind != "model":
                raise ValueError("expected a repository of models, got one of data sets")
            folder, file = _split_model(key)
            store = HubStore(repository, folder, MODEL_FIELD, RUNTIME_AGENT)
            return Location(uri, file, store=store)
    except ValueError as error:
        raise not_found(without_secrets(uri), str(error), MODEL_FIELD) from error
    parts = urlsplit(uri)
    if parts.scheme and "://" in uri and parts.scheme != "file":
        raise StorageError(
            LoadFailure.UNSUPPORTED_MODEL,
            uri,
            "expected s3://, gs://, az://, abfss://, http://, https://, hf://, file:// or a path, "
            f"got {parts.scheme}://",
            f"Check {MODEL_FIELD}",
            MODEL_FIELD,
        )
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri)
    # os.path, not Path: a directory without permission to enter is reported when it is read.
    if os.path.isfile(path) or (path.suffix == ".onnx" and not os.path.isdir(path)):  # noqa: PTH112, PTH113
        return Location(uri, path.name, directory=path.parent)
    return Location(uri, None, directory=path)


def open_store(uri: str, field: str, agent: str, *, create: bool = False) -> Store:
    """Return the folder at a URI. Only a folder on this machine is looked up.

    Args:
        uri: of the folder.
        field: the setting that holds the URI, for messages.
        agent: the User-Agent header for web servers.
        create: whether files will be written; a folder on this machine is created.

    Raises:
        StorageError: ModelNotFound for a malformed or unknown URI, or a path that does not exist.
    """
    try:
        if found := parse_bucket(uri):
            from .object_store import BucketStore

            return BucketStore(*found, field, uri=uri)
        if is_web(uri) and urlsplit(uri).hostname and not create:
            from .web import WebStore

            return WebStore(_as_folder(urlsplit(uri)), field, agent)
        if uri.startswith("hf://") and not create:
            from .hub import HubStore, parse_hub

            return HubStore(*parse_hub(uri), field, agent)
    except ValueError as error:
        raise not_found(without_secrets(uri), str(error), field) from error
    if uri.startswith("file://") or "://" not in uri:
        from .local import LocalStore

        path = Path(unquote(urlsplit(uri).path)) if "://" in uri else Path(uri)
        if path.is_dir() or create:
            return LocalStore(path, uri, field, create=create)
        raise not_found(str(path), "there is no such folder", field)
    expected = WRITABLE if create else READABLE
    raise not_found(without_secrets(uri), f"expected {expected} or a path", field)


def _split_model(key: str) -> tuple[str, str | None]:
    """Return the folder that a key means, and the ``.onnx`` file in it.

    >>> _split_model("delays/1/model.onnx"), _split_model("delays/1")
    (('delays/1', 'model.onnx'), ('delays/1', None))
    """
    folder, _, last = key.rpartition("/")
    return (folder, last) if last.endswith(".onnx") else (key, None)


def _on_web(uri: str) -> Location:
    from .web import WebStore

    parts = urlsplit(uri)
    if not parts.hostname:
        raise ValueError("expected a host, got none")
    parent, _, last = parts.path.rpartition("/")
    if last.endswith(".onnx"):
        store = WebStore(parts._replace(path=f"{parent}/"), MODEL_FIELD, RUNTIME_AGENT)
        return Location(store.describe(last), unquote(last), store=store)
    store = WebStore(_as_folder(parts), MODEL_FIELD, RUNTIME_AGENT)
    return Location(store.describe(""), None, store=store)


def _as_folder(url: SplitResult) -> SplitResult:
    return url._replace(path=f"{url.path.rstrip('/')}/")
