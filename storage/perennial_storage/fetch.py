"""Fetch a model from its URI to this machine, verified."""

from pathlib import Path

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, BundleFile
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure

from . import log
from .artifact import Artifact, parse_manifest, verify
from .cache import ModelCache, PartialEntry
from .digests import check_digest, check_pin, check_size
from .download import Download
from .errors import MODEL_FIELD, StorageError, cut_off, not_found
from .location import Location, locate
from .retry import Retry
from .store import Store

MANIFEST_LIMIT = 16 * 1024 * 1024
"""Largest bundle.json that is accepted, in bytes."""


def fetch(uri: str, pin: str | None, cache_dir: Path, retry_seconds: float) -> Artifact:
    """Return the verified model at a URI; download it unless the cache has it.

    A model on this machine is verified and used in place.

    Args:
        uri: of a bundle's folder, a folder with model.onnx, or an .onnx file.
        pin: the digest that the model must have; None to accept any.
        cache_dir: the folder for downloaded models, which processes may share.
        retry_seconds: how long to retry an unreachable store, after the last received byte.

    Raises:
        StorageError: for any reason.
    """
    location = locate(uri)
    if location.directory is not None:
        return verify(location.directory, location.file, pin, location.uri)
    assert location.store is not None
    cache = ModelCache(cache_dir)
    if pin is not None and (cached := cache.lookup(pin)):
        log.info("the model is in the cache", digest=pin)
        return cached
    return _Fetch(location, location.store, cache, Retry(retry_seconds)).run(pin)


class _Fetch:
    """Downloads one model into the cache."""

    def __init__(self, location: Location, store: Store, cache: ModelCache, retry: Retry) -> None:
        self._location = location
        self._store = store
        self._cache = cache
        self._retry = retry

    def run(self, pin: str | None) -> Artifact:
        manifest = None if self._location.file else self._retry.call(self._read_manifest)
        if isinstance(manifest, bytes):
            return self._fetch_bundle(manifest, pin)
        try:
            return self._fetch_bare(pin)
        except StorageError as error:
            if manifest is None or error.reason is not LoadFailure.MODEL_NOT_FOUND:
                raise
            if manifest.reason is LoadFailure.ACCESS_DENIED:
                raise manifest from error
            raise not_found(
                self._location.uri,
                f"no object found under this prefix; expected {MANIFEST_NAME} or {MODEL_NAME}",
                MODEL_FIELD,
            ) from error

    def _read_manifest(self) -> bytes | StorageError:
        """Return bundle.json, or the error if the store denies access or has none.

        S3 may answer 403 for an object that does not exist.
        """
        try:
            blob = self._store.open(MANIFEST_NAME)
        except StorageError as error:
            if error.reason in (LoadFailure.MODEL_NOT_FOUND, LoadFailure.ACCESS_DENIED):
                return error
            raise
        uri = self._store.describe(MANIFEST_NAME)
        data = bytearray()
        with blob:
            for chunk in blob.chunks:
                data += chunk
                if len(data) > MANIFEST_LIMIT:
                    raise StorageError(
                        LoadFailure.MODEL_CORRUPT, uri, f"expected at most {MANIFEST_LIMIT} bytes"
                    )
        if blob.size is not None and len(data) != blob.size:
            raise cut_off(uri, blob.size, len(data))
        return bytes(data)

    def _fetch_bundle(self, manifest: bytes, pin: str | None) -> Artifact:
        digest = digest_of(manifest)
        check_pin(digest, pin, self._location.uri)
        bundle = parse_manifest(manifest, self._store.describe(MANIFEST_NAME))
        if cached := self._cache.lookup(digest):
            log.info("the model is in the cache", digest=digest)
            return cached
        with self._cache.fill(digest) as partial:
            if cached := self._cache.lookup(digest):  # another process was faster
                return cached
            downloads = [self._download_of(file, partial) for file in bundle.files]
            total = sum(file.size for file in bundle.files)
            self._cache.require_room(total - sum(each.received for each in downloads))
            for file, download in zip(bundle.files, downloads, strict=True):
                found, size = self._get_listed(download, file)
                check_size(file.path, file.size, size, self._location.uri)
                check_digest(file.path, file.digest, found, self._location.uri)
            (partial.files / MANIFEST_NAME).write_bytes(manifest)
            entry = self._cache.commit(partial, digest)
        return Artifact(digest, entry / MODEL_NAME, bundle)

    def _download_of(self, file: BundleFile, partial: PartialEntry) -> Download:
        target = partial.files / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        return Download(
            self._store,
            file.path,
            target,
            record=partial.record(file.path),
            # Before gigabytes of the wrong file are downloaded.
            check_size=lambda size: check_size(file.path, file.size, size, self._location.uri),
        )

    def _get_listed(self, download: Download, file: BundleFile) -> tuple[str, int]:
        try:
            return self._get(download, file.digest)
        except StorageError as error:
            if error.reason is not LoadFailure.MODEL_NOT_FOUND:
                raise
            raise StorageError(
                LoadFailure.MODEL_CORRUPT,
                self._store.describe(file.path),
                f"{MANIFEST_NAME} lists this file, but it does not exist",
                "Upload the whole bundle",
            ) from error

    def _fetch_bare(self, pin: str | None) -> Artifact:
        name = self._location.file or MODEL_NAME
        with self._cache.fill(pin) as partial:
            if pin is not None and (cached := self._cache.lookup(pin)):
                return cached  # another process was faster
            download = Download(
                self._store,
                name,
                partial.files / MODEL_NAME,
                record=partial.record(name),
                check_size=lambda size: self._cache.require_room(size - download.received),
            )
            digest, _ = self._get(download, pin)
            check_pin(digest, pin, self._location.uri)
            entry = self._cache.commit(partial, digest)
        return Artifact(digest, entry / MODEL_NAME, None)

    def _get(self, download: Download, expected: str | None) -> tuple[str, int]:
        """Return digest and size of a downloaded file.

        They differ from the expected ones only if the store's object does.
        """
        found = self._attempts(download)
        if expected is not None and found[0] != expected and download.resumed:
            log.warning("the partial download of an earlier process is damaged; starting over")
            download.restart()
            found = self._attempts(download)
        return found

    def _attempts(self, download: Download) -> tuple[str, int]:
        return self._retry.call(download.attempt, lambda: download.received)
