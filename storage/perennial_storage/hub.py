"""Repositories on the Hugging Face Hub, read with its client.

``HF_TOKEN`` and ``HF_ENDPOINT`` configure it. The client resolves a revision to a commit, lists
the files, and returns a link to a file's contents; :mod:`.web` reads the link.
"""

import os
import re
import threading
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from perennial_contracts.wire.outcome import LoadFailure

from . import log, web
from .errors import StorageError, not_found
from .store import Blob, ReadOnly, Span

_COMMIT = re.compile("[0-9a-f]{40}")
_URI = re.compile(r"hf://(datasets/)?([^/@]+/[^/@]+)(?:@([^/]+))?(?:/(.*))?")
EXPECTED_MODEL = "hf://ORGANISATION/REPOSITORY[@REVISION]/PATH"
EXPECTED = "hf://[datasets/]ORGANISATION/REPOSITORY[@REVISION]/PATH"


class Repository(NamedTuple):
    """A revision of a repository."""

    kind: str
    """``model`` or ``dataset``."""
    name: str
    revision: str


def parse_hub(uri: str, expected: str = EXPECTED) -> tuple[Repository, str]:
    """Return the repository of a URI and the path in it.

    ``%2F`` is a slash in a revision. ``expected`` is the form of the URI, for the error.

    >>> parse_hub("hf://org/delays@v2/saved/")
    (Repository(kind='model', name='org/delays', revision='v2'), 'saved')
    >>> parse_hub("hf://datasets/org/flights/2013.parquet")[0].kind
    'dataset'

    Raises:
        ValueError: if the URI is malformed.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"expected {expected}")
    dataset, name, revision, path = match.groups()
    kind = "dataset" if dataset else "model"
    return Repository(kind, name, unquote(revision or "main")), (path or "").strip("/")


class HubStore(ReadOnly):
    """A folder of a repository, as of one commit."""

    def __init__(self, repository: Repository, folder: str, field: str, agent: str) -> None:
        """Remember the folder; sends nothing.

        Args:
            repository: the repository and its revision.
            folder: the folder's path, without slashes around it.
            field: the setting that holds the URI, for messages.
            agent: the User-Agent header for the contents of files.
        """
        self._repository = repository
        self._folder = f"{folder}/" if folder else ""
        self._field = field
        self._agent = agent
        self._commit: str | None = None
        self._info: Any = None
        self._links: dict[str, str] = {}
        self._lock = threading.Lock()

    def describe(self, path: str) -> str:
        kind = "datasets/" if self._repository.kind == "dataset" else ""
        revision = self._commit or self._repository.revision
        return f"hf://{kind}{self._repository.name}@{revision}/{self._folder}{path}"

    def connect(self) -> None:
        self._client()

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        hub = self._client()
        with self._lock:  # once for all threads that read a file
            if span is None or path not in self._links:
                self._links[path] = self._link(hub, path)
            link = self._links[path]
        headers = self._headers(hub, link)
        try:
            return web.open_url(link, self.describe(path), self._field, headers, span, version)
        except StorageError as error:
            self._links.pop(path, None)
            if version is None or error.reason is not LoadFailure.ACCESS_DENIED:
                raise
            # Access was granted before: the link has expired, and the next attempt gets a new one.
            raise StorageError(
                LoadFailure.STORE_UNREACHABLE,
                self.describe(path),
                "the link to the contents has expired",
                field=self._field,
            ) from error

    def list(self, below: str, limit: int | None = None) -> list[str]:
        start = f"{self._folder}{below}".rstrip("/")
        with self._lock:
            info = self._repository_info(self._client())
        names = [str(sibling.rfilename) for sibling in info.siblings or ()]
        inside = [name for name in names if not start or name.startswith(f"{start}/")]
        return [name.removeprefix(self._folder) for name in inside][:limit]

    def _client(self) -> Any:
        try:
            import huggingface_hub
        except ImportError as error:
            raise StorageError(
                LoadFailure.UNSUPPORTED_MODEL,
                self.describe(""),
                "hf:// needs the package huggingface-hub, which this image lacks",
                "Install perennial[hf], or copy the files to an object store",
                self._field,
            ) from error
        return huggingface_hub

    def _resolve(self, hub: Any) -> str:
        """Return the commit of the revision; needs no request if the revision is a commit."""
        if self._commit is None and _COMMIT.fullmatch(self._repository.revision):
            self._commit = self._repository.revision
        return self._commit or str(self._repository_info(hub).sha)

    def _repository_info(self, hub: Any) -> Any:
        if self._info is not None:
            return self._info
        repository = self._repository
        try:
            self._info = hub.HfApi(endpoint=_endpoint()).repo_info(
                repository.name,
                revision=self._commit or repository.revision,
                repo_type=repository.kind,
                timeout=web.TIMEOUT_SECONDS,
            )
        except Exception as error:
            raise self._failure(hub, "", error) from error
        self._commit = str(self._info.sha)
        log.info(
            "resolved the revision",
            repository=repository.name,
            revision=repository.revision,
            commit=self._commit,
        )
        return self._info

    def _link(self, hub: Any, path: str) -> str:
        url = hub.hf_hub_url(
            self._repository.name,
            f"{self._folder}{path}",
            repo_type=self._repository.kind,
            revision=self._resolve(hub),
            endpoint=_endpoint(),
        )
        try:
            metadata = hub.get_hf_file_metadata(
                url, timeout=web.TIMEOUT_SECONDS, endpoint=_endpoint()
            )
        except Exception as error:
            raise self._failure(hub, path, error) from error
        return str(metadata.location)

    def _headers(self, hub: Any, link: str) -> dict[str, str]:
        """Return headers for a link; only the hub itself gets the token."""
        agent = {"User-Agent": self._agent}
        if urlsplit(link).netloc != urlsplit(_endpoint()).netloc:
            return agent
        return {**hub.utils.build_hf_headers(), **agent}

    def _failure(self, hub: Any, path: str, error: Exception) -> StorageError:
        uri, field, errors = self.describe(path), self._field, hub.errors
        if isinstance(error, errors.GatedRepoError):
            return StorageError(
                LoadFailure.ACCESS_DENIED,
                uri,
                "the repository is gated",
                "Accept its terms on the hub, and set HF_TOKEN",
                field,
            )
        if isinstance(error, errors.RepositoryNotFoundError):
            return StorageError(
                LoadFailure.MODEL_NOT_FOUND,
                uri,
                "there is no such repository, or HF_TOKEN may not see it",
                f"Check {field} and HF_TOKEN",
                field,
            )
        if isinstance(error, errors.RevisionNotFoundError):
            return not_found(uri, "there is no such revision", field)
        if isinstance(error, errors.EntryNotFoundError):
            return not_found(uri, "there is no such file", field)
        if isinstance(error, errors.HFValidationError):
            return not_found(uri, str(error), field)
        if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
            return web.explain_status(uri, error.response.status_code, field)
        return StorageError(
            LoadFailure.STORE_UNREACHABLE,
            uri,
            str(error).partition("\n")[0] or type(error).__name__,
            "Check HF_ENDPOINT and the network",
            field,
        )


def _endpoint() -> str:
    """Return the hub's address, from ``HF_ENDPOINT``."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
