"""Repositories on the Hugging Face Hub, by its client; set up by ``HF_TOKEN``, ``HF_ENDPOINT``.

The client says which commit a revision is, which files it has, and where their bytes lie; they are
read from there like those of any web server.
"""

import re
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from perennial_contracts import hub
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError
from . import web
from .backend import ReadOnly

_URI = re.compile(r"hf://(datasets/)?([^/@]+/[^/@]+)(?:@([^/]+))?(?:/(.*))?")
EXPECTED = "hf://[datasets/]ORGANISATION/REPOSITORY[@REVISION]/PATH"


class Repository(NamedTuple):
    """A revision of a repository."""

    kind: str
    """``model`` or ``dataset``."""
    name: str
    revision: str


def parse(uri: str) -> tuple[Repository, str]:
    """Repository and path of a URI. A slash in a revision is written ``%2F``.

    >>> parse("hf://org/delays@v2/saved/")
    (Repository(kind='model', name='org/delays', revision='v2'), 'saved')
    >>> parse("hf://datasets/org/flights/2013.parquet")[0].kind
    'dataset'

    Raises:
        ValueError: for any other one.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"expected {EXPECTED}, got {uri}")
    dataset, name, revision, path = match.groups()
    kind = "dataset" if dataset else "model"
    return Repository(kind, name, unquote(revision or "main")), (path or "").strip("/")


class HubFolder(ReadOnly):
    """A folder of a repository, as of one commit."""

    def __init__(self, repository: Repository, folder: str, field: str) -> None:
        """Reaches for nothing yet.

        Raises:
            StepError: UnsupportedModel, where the hub's client is not installed.
        """
        try:
            import huggingface_hub
        except ImportError as error:
            raise StepError(
                LoadFailure.UNSUPPORTED_MODEL,
                f"{field}: hf:// needs the package huggingface-hub, which this image lacks. "
                "Install perennial[hf], or copy what lies there to an object store",
            ) from error
        self._hub: Any = huggingface_hub
        self._repository = repository
        self._folder = f"{folder}/" if folder else ""
        self._field = field
        self._info: Any = None
        self._asking = threading.Lock()

    def describe(self, path: str) -> str:
        kind = "datasets/" if self._repository.kind == "dataset" else ""
        revision = self._info.sha if self._info else self._repository.revision
        return f"hf://{kind}{self._repository.name}@{revision}/{self._folder}{path}".rstrip("/")

    def chunks(self, path: str) -> Iterator[bytes]:
        url = self._hub.hf_hub_url(
            self._repository.name,
            f"{self._folder}{path}",
            repo_type=self._repository.kind,
            revision=self._resolved().sha,
            endpoint=hub.endpoint(),
        )
        metadata = self._hub.get_hf_file_metadata(
            url, timeout=web.TIMEOUT_SECONDS, endpoint=hub.endpoint()
        )
        link = str(metadata.location)
        # The token is for the hub alone, not for where its large files lie.
        own = urlsplit(link).netloc == urlsplit(hub.endpoint()).netloc
        headers = self._hub.utils.build_hf_headers() if own else {}
        yield from web.read(link, {**headers, **web.AGENT})

    def list(self, below: str) -> list[str]:
        start = f"{self._folder}{below}".rstrip("/")
        names = [str(sibling.rfilename) for sibling in self._resolved().siblings or ()]
        inside = [name for name in names if not start or name.startswith(f"{start}/")]
        return [name.removeprefix(self._folder) for name in inside]

    def failure(self, path: str, error: Exception, purpose: str) -> StepError:
        where, field = self.describe(path), self._field
        if found := hub.refusal(self._hub.errors, where, error, field):
            return StepError(*found)
        return StepError(
            LoadFailure.STORE_UNREACHABLE,
            f"{web.failure(where, error, field).message}. Check HF_ENDPOINT and the network",
        )

    def _resolved(self) -> Any:
        with self._asking:  # once for all the threads that read
            if self._info is None:
                self._info = self._hub.HfApi(endpoint=hub.endpoint()).repo_info(
                    self._repository.name,
                    revision=self._repository.revision,
                    repo_type=self._repository.kind,
                    timeout=web.TIMEOUT_SECONDS,
                )
            return self._info
