"""Brings a model from its URI to this machine, verified."""

from pathlib import Path

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, BundleFile
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure

from .. import log
from ..errors import LoadError
from ..store import Location, Source, locate
from .artifact import MANIFEST_LIMIT, Artifact, check_file, check_pin, parse_manifest, verify
from .cache import Cache, Filling
from .download import Download
from .patience import Patience


def fetch(uri: str, pin: str | None, cache_dir: Path, retry_seconds: float) -> Artifact:
    """The model at a URI, verified; downloaded unless it lies here or in the cache already.

    A model on this machine is verified and used where it lies. A store that does not answer is
    tried again until nothing has come for ``retry_seconds``.

    Raises:
        LoadError: for whatever reason.
    """
    location = locate(uri)
    if location.directory is not None:
        return verify(location.directory, location.file, pin, location.uri)
    assert location.source is not None
    cache = Cache(cache_dir)
    if pin is not None and (cached := cache.lookup(pin)):
        log.info("the model is in the cache", digest=pin)
        return cached
    return _Fetching(location, location.source, cache, Patience(retry_seconds)).run(pin)


class _Fetching:
    """One model on its way into the cache."""

    def __init__(
        self, location: Location, source: Source, cache: Cache, patience: Patience
    ) -> None:
        self._location = location
        self._source = source
        self._cache = cache
        self._patience = patience

    def run(self, pin: str | None) -> Artifact:
        manifest = None if self._location.file else self._patience.persist(self._manifest)
        if isinstance(manifest, bytes):
            return self._bundle(manifest, pin)
        try:
            return self._bare(pin)
        except LoadError as error:
            if isinstance(manifest, LoadError) and error.reason is LoadFailure.MODEL_NOT_FOUND:
                if manifest.reason is LoadFailure.ACCESS_DENIED:
                    raise manifest from error
                raise LoadError(
                    LoadFailure.MODEL_NOT_FOUND,
                    f"{self._location.uri}: no object found under this prefix; expected "
                    f"{MANIFEST_NAME} or {MODEL_NAME}. Check spec.model.uri",
                ) from error
            raise

    def _manifest(self) -> bytes | LoadError:
        """The bytes of bundle.json, or why there are none: S3 may say 403 of what is missing."""
        try:
            blob = self._source.open(MANIFEST_NAME)
        except LoadError as error:
            if error.reason in (LoadFailure.MODEL_NOT_FOUND, LoadFailure.ACCESS_DENIED):
                return error
            raise
        where = self._source.describe(MANIFEST_NAME)
        data = bytearray()
        with blob:
            for chunk in blob.chunks:
                data += chunk
                if len(data) > MANIFEST_LIMIT:
                    raise LoadError(
                        LoadFailure.MODEL_CORRUPT,
                        f"{where}: expected at most {MANIFEST_LIMIT} bytes",
                    )
        if blob.size is not None and len(data) != blob.size:
            raise LoadError(
                LoadFailure.STORE_UNREACHABLE,
                f"{where}: expected {blob.size} bytes, got {len(data)} before the connection ended",
            )
        return bytes(data)

    def _bundle(self, manifest: bytes, pin: str | None) -> Artifact:
        digest = digest_of(manifest)
        check_pin(digest, pin, self._location.uri)
        bundle = parse_manifest(manifest, self._source.describe(MANIFEST_NAME))
        if cached := self._cache.lookup(digest):
            log.info("the model is in the cache", digest=digest)
            return cached
        with self._cache.filling(digest) as filling:
            if cached := self._cache.lookup(digest):  # another process was faster
                return cached
            downloads = [self._listed(file, filling) for file in bundle.files]
            missing = (file.size for file in bundle.files)
            self._cache.require_room(sum(missing) - sum(each.received for each in downloads))
            for file, download in zip(bundle.files, downloads, strict=True):
                found, size = self._get_listed(download, file)
                check_file(file.path, file.size, size, file.digest, found, self._location.uri)
            (filling.files / MANIFEST_NAME).write_bytes(manifest)
            entry = self._cache.commit(filling, digest)
        return Artifact(digest, entry / MODEL_NAME, bundle)

    def _listed(self, file: BundleFile, filling: Filling) -> Download:
        """Of a file that bundle.json lists."""

        def check_size(size: int) -> None:  # before gigabytes of the wrong thing are fetched
            check_file(file.path, file.size, size, file.digest, None, self._location.uri)

        target = filling.files / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        record = filling.record(file.path)
        return Download(self._source, file.path, target, record=record, check_size=check_size)

    def _get_listed(self, download: Download, file: BundleFile) -> tuple[str, int]:
        try:
            return self._get(download, file.digest)
        except LoadError as error:
            if error.reason is LoadFailure.MODEL_NOT_FOUND:
                raise LoadError(
                    LoadFailure.MODEL_CORRUPT,
                    f"{self._source.describe(file.path)}: {MANIFEST_NAME} lists it, but it is not "
                    "there. Upload the whole bundle",
                ) from error
            raise

    def _bare(self, pin: str | None) -> Artifact:
        name = self._location.file or MODEL_NAME
        with self._cache.filling(pin) as filling:
            if pin is not None and (cached := self._cache.lookup(pin)):
                return cached  # another process was faster
            download = Download(
                self._source,
                name,
                filling.files / MODEL_NAME,
                record=filling.record(name),
                check_size=lambda size: self._cache.require_room(size - download.received),
            )
            digest, _ = self._get(download, pin)
            check_pin(digest, pin, self._location.uri)
            entry = self._cache.commit(filling, digest)
        return Artifact(digest, entry / MODEL_NAME, None)

    def _get(self, download: Download, expected: str | None) -> tuple[str, int]:
        """Digest and size of a file, the one expected unless the store holds another."""
        found = self._attempts(download)
        if expected is not None and found[0] != expected and download.resumed:
            log.warning("what an earlier process had fetched is damaged: it is fetched anew")
            download.restart()
            found = self._attempts(download)
        return found

    def _attempts(self, download: Download) -> tuple[str, int]:
        return self._patience.persist(download.attempt, lambda: download.received)
