"""Models on the Hugging Face Hub, by its client; set up by ``HF_TOKEN`` and ``HF_ENDPOINT``.

The client says which commit a revision is and where a file's bytes lie; they are read from there
like those of any web server.
"""

import re
import threading
from typing import Any
from urllib.parse import unquote, urlsplit

from perennial_contracts.hub import endpoint, refusal
from perennial_contracts.wire.outcome import LoadFailure

from .. import log
from ..errors import LoadError
from .base import Blob, Span
from .web import AGENT, TIMEOUT_SECONDS, open_url

_COMMIT = re.compile("[0-9a-f]{40}")


def parse(uri: str) -> tuple[str, str, str]:
    """Repository, revision and path of a URI. A slash in a revision is written ``%2F``.

    >>> parse("hf://org/delays@v2/onnx/model.onnx")
    ('org/delays', 'v2', 'onnx/model.onnx')

    Raises:
        LoadError: ModelNotFound.
    """
    match = re.fullmatch(r"hf://([^/@]+/[^/@]+)(?:@([^/]+))?(?:/(.*))?", uri)
    if match is None:
        raise LoadError(
            LoadFailure.MODEL_NOT_FOUND,
            f"{uri}: expected hf://ORGANISATION/REPOSITORY[@REVISION]/PATH. Check spec.model.uri",
        )
    repository, revision, path = match.groups()
    return repository, unquote(revision or "main"), (path or "").strip("/")


class HubSource:
    """A folder of a repository of models, as of one commit."""

    def __init__(self, repository: str, revision: str, folder: str) -> None:
        self._repository = repository
        self._revision = revision
        self._folder = f"{folder}/" if folder else ""
        self._commit: str | None = None
        self._links: dict[str, str] = {}
        self._asking = threading.Lock()

    def describe(self, path: str) -> str:
        revision = self._commit or self._revision
        return f"hf://{self._repository}@{revision}/{self._folder}{path}"

    def open(self, path: str, span: Span | None = None, version: str | None = None) -> Blob:
        hub = _client()
        with self._asking:  # once for all the threads that read a file
            if self._commit is None:
                self._commit = self._resolve(hub)
            if path not in self._links:
                self._links[path] = self._link(hub, path, self._commit)
            link = self._links[path]
        try:
            return open_url(link, self.describe(path), self._headers(hub, link), span, version)
        except LoadError as error:
            self._links.pop(path, None)
            if version is None or error.reason is not LoadFailure.ACCESS_DENIED:
                raise
            # It was granted before: the link has run out, and the next attempt gets a new one.
            raise LoadError(
                LoadFailure.STORE_UNREACHABLE,
                f"{self.describe(path)}: the link to its contents is not valid any more",
            ) from error

    def _resolve(self, hub: Any) -> str:
        if _COMMIT.fullmatch(self._revision):
            return self._revision
        try:
            api = hub.HfApi(endpoint=endpoint())
            info = api.model_info(
                self._repository, revision=self._revision, timeout=TIMEOUT_SECONDS
            )
        except Exception as error:
            raise _failure(self.describe(""), error) from error
        commit = str(info.sha)
        log.info(
            "resolved the revision",
            repository=self._repository,
            revision=self._revision,
            commit=commit,
        )
        return commit

    def _link(self, hub: Any, path: str, commit: str) -> str:
        url = hub.hf_hub_url(
            self._repository, f"{self._folder}{path}", revision=commit, endpoint=endpoint()
        )
        try:
            metadata = hub.get_hf_file_metadata(url, timeout=TIMEOUT_SECONDS, endpoint=endpoint())
        except Exception as error:
            raise _failure(self.describe(path), error) from error
        return str(metadata.location)

    @staticmethod
    def _headers(hub: Any, link: str) -> dict[str, str]:
        """The token is for the hub alone, not for where its large files lie."""
        if urlsplit(link).netloc != urlsplit(endpoint()).netloc:
            return dict(AGENT)
        return {**hub.utils.build_hf_headers(), **AGENT}


def _client() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise LoadError(
            LoadFailure.UNSUPPORTED_MODEL,
            "hf:// needs the package huggingface-hub, which this image lacks. "
            "Install perennial[hf], or copy the model to an object store",
        ) from error
    return huggingface_hub


def _failure(where: str, error: Exception) -> LoadError:
    from huggingface_hub import errors

    if found := refusal(errors, where, error, "spec.model.uri"):
        return LoadError(*found)
    what = str(error).partition("\n")[0] or type(error).__name__
    return LoadError(
        LoadFailure.STORE_UNREACHABLE, f"{where}: {what}. Check HF_ENDPOINT and the network"
    )
