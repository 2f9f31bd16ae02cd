"""Brings a model from its URI to this machine, verified."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from perennial_contracts.bundle import MANIFEST_NAME, MODEL_NAME
from perennial_contracts.digest import digest_of
from perennial_contracts.outcome import LoadFailure

from . import log
from .cache import (
    MANIFEST_LIMIT,
    Artifact,
    Cache,
    check_file,
    check_pin,
    parse_manifest,
    verify,
)
from .errors import LoadError
from .store import Blob, Location, Source, locate

T = TypeVar("T")

PROGRESS_SECONDS = 2.0
FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 0.5, 10.0


def fetch(uri: str, pin: str | None, cache_dir: Path, retry_seconds: float) -> Artifact:
    """The model at a URI, verified; downloaded unless it lies here or in the cache already.

    A model on this machine is verified and used where it lies. A store that does not answer is
    tried again for ``retry_seconds``.

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
    source = location.source
    return _with_retries(lambda: _download(location, source, pin, cache), retry_seconds)


def _with_retries(operation: Callable[[], T], seconds: float) -> T:
    """Repeats an operation that finds the store unreachable, ever more slowly, for some time."""
    deadline = time.monotonic() + seconds
    delay = FIRST_DELAY_SECONDS
    attempts = 0
    while True:
        attempts += 1
        try:
            return operation()
        except LoadError as error:
            if error.reason is not LoadFailure.STORE_UNREACHABLE:
                raise
            left = deadline - time.monotonic()
            if left <= 0:
                times = "once" if attempts == 1 else f"{attempts} times"
                raise LoadError(error.reason, f"{error.message} (tried {times})") from error
            pause = min(delay, left)
            log.warning("the store is unreachable", problem=error.message, retry_seconds=pause)
            time.sleep(pause)
            delay = min(delay * 2, LAST_DELAY_SECONDS)


def _download(location: Location, source: Source, pin: str | None, cache: Cache) -> Artifact:
    manifest = None if location.file else _manifest(source)
    if isinstance(manifest, bytes):
        return _download_bundle(location, source, manifest, pin, cache)
    try:
        return _download_bare(location, source, pin, cache)
    except LoadError as error:
        if isinstance(manifest, LoadError) and error.reason is LoadFailure.MODEL_NOT_FOUND:
            if manifest.reason is LoadFailure.ACCESS_DENIED:
                raise manifest from error
            raise LoadError(
                LoadFailure.MODEL_NOT_FOUND,
                f"{location.uri}: no object found under this prefix; expected {MANIFEST_NAME} "
                f"or {MODEL_NAME}. Check spec.model.uri",
            ) from error
        raise


def _manifest(source: Source) -> bytes | LoadError:
    """The bytes of bundle.json, or why there are none: S3 may say 403 of what is missing."""
    try:
        blob = source.open(MANIFEST_NAME)
    except LoadError as error:
        if error.reason in (LoadFailure.MODEL_NOT_FOUND, LoadFailure.ACCESS_DENIED):
            return error
        raise
    data = bytearray()
    with blob:
        for chunk in blob.chunks:
            data += chunk
            if len(data) > MANIFEST_LIMIT:
                raise LoadError(
                    LoadFailure.MODEL_CORRUPT,
                    f"{source.describe(MANIFEST_NAME)}: expected at most {MANIFEST_LIMIT} bytes",
                )
    return bytes(data)


def _download_bundle(
    location: Location, source: Source, manifest: bytes, pin: str | None, cache: Cache
) -> Artifact:
    digest = digest_of(manifest)
    check_pin(digest, pin, location.uri)
    bundle = parse_manifest(manifest, source.describe(MANIFEST_NAME))
    if cached := cache.lookup(digest):
        log.info("the model is in the cache", digest=digest)
        return cached
    with cache.filling() as partial:
        if cached := cache.lookup(digest):  # another process was faster
            return cached
        for file in bundle.files:
            path = partial / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with _open(source, file.path) as blob:
                if blob.size is not None:  # before gigabytes of the wrong thing are fetched
                    check_file(file.path, file.size, blob.size, file.digest, None, location.uri)
                found, size = _save(source.describe(file.path), blob, path)
            check_file(file.path, file.size, size, file.digest, found, location.uri)
        (partial / MANIFEST_NAME).write_bytes(manifest)
        entry = cache.commit(partial, digest)
    return Artifact(digest, entry / MODEL_NAME, bundle)


def _open(source: Source, path: str) -> Blob:
    """Opens a file that bundle.json lists: where it is missing, the bundle is broken."""
    try:
        return source.open(path)
    except LoadError as error:
        if error.reason is LoadFailure.MODEL_NOT_FOUND:
            raise LoadError(
                LoadFailure.MODEL_CORRUPT,
                f"{source.describe(path)}: {MANIFEST_NAME} lists it, but it is not there. "
                "Upload the whole bundle",
            ) from error
        raise


def _download_bare(location: Location, source: Source, pin: str | None, cache: Cache) -> Artifact:
    name = location.file or MODEL_NAME
    with source.open(name) as blob, cache.filling() as partial:
        digest, _ = _save(source.describe(name), blob, partial / MODEL_NAME)
        check_pin(digest, pin, location.uri)
        entry = cache.commit(partial, digest)
    return Artifact(digest, entry / MODEL_NAME, None)


def _save(where: str, blob: Blob, path: Path) -> tuple[str, int]:
    """Writes a blob to disk; its digest and its size in bytes.

    Raises:
        LoadError: StoreUnreachable where the store ended it early.
    """
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as file:
        for chunk in _progress(where, blob):
            digest.update(chunk)
            file.write(chunk)
            size += len(chunk)
    if blob.size is not None and size != blob.size:
        raise LoadError(
            LoadFailure.STORE_UNREACHABLE,
            f"{where}: expected {blob.size} bytes, got {size} before the connection ended",
        )
    return f"sha256:{digest.hexdigest()}", size


def _progress(where: str, blob: Blob) -> Iterator[bytes]:
    """Passes the chunks on, with a log line now and then where it takes long."""
    begun = said = time.monotonic()
    done = 0
    for chunk in blob.chunks:
        yield chunk
        done += len(chunk)
        now = time.monotonic()
        if now - said >= PROGRESS_SECONDS:
            said = now
            log.info(
                "downloading",
                object=where,
                mebibytes=done >> 20,
                of_mebibytes=None if blob.size is None else blob.size >> 20,
                mebibytes_per_second=round((done >> 20) / (now - begun), 1),
            )
