"""Download an object into a file: in concurrent parts, resuming after a cut."""

import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path

from . import log
from .digests import PrefixHash
from .errors import OverwrittenError, StorageError, cut_off
from .parts import PART_BYTES, DownloadRecord, Parts
from .store import Blob, Span, Store

WORKERS = 6
"""Concurrent requests. Each holds about a mebibyte in memory."""
RECORD_SECONDS = 1.0
"""A killed process loses at most about so many seconds of its download."""
TICK_SECONDS = 0.25
PROGRESS_SECONDS = 2.0


class Download:
    """Downloads an object into a file, in one attempt or in several.

    If the store identifies the version of the object, received bytes are kept between attempts,
    and later requests fetch only the rest, of that same version. Otherwise each attempt starts
    over.
    """

    _version: str | None
    _parts: Parts | None
    """The received bytes of that version; None before the first response."""

    def __init__(
        self,
        store: Store,
        path: str,
        target: Path,
        *,
        record: Path | None = None,
        check_size: Callable[[int], None] = lambda size: None,
    ) -> None:
        """Prepare a download, or resume that of an earlier process by its record.

        Args:
            store: the folder of the object.
            path: of the object.
            target: the file; only this download writes to it.
            record: where to record for a later process what has arrived; None to keep nothing.
                Pass one only if the digest is known: after a crash the file may hold any bytes.
            check_size: raises a StorageError if an object of that size is unwanted.
        """
        self._store = store
        self._path = path
        self._uri = store.describe(path)
        """As in the record; later the store may describe the object more precisely."""
        self._target = target
        self._record = record
        self._check_size = check_size
        self._stopped = False
        self._overwritten = 0
        self._reset()
        self.resumed = record is not None and self._load(record)
        """True if some bytes come from an earlier process."""

    @property
    def received(self) -> int:
        """Bytes that have arrived and need not be requested again."""
        return 0 if self._parts is None else self._parts.received

    def restart(self) -> None:
        """Discard all received bytes."""
        self._reset()
        self.resumed = False

    def attempt(self) -> tuple[str, int]:
        """Download the missing bytes; return the file's digest and its size in bytes.

        Raises:
            StorageError: StoreUnreachable if another attempt may get the rest; any other reason.
            OSError: if the file cannot be written.
        """
        try:
            return self._attempt()
        except OverwrittenError:
            self._overwritten += 1
            self.restart()
            raise

    def _attempt(self) -> tuple[str, int]:
        if self._overwritten > 1:
            # Some servers change the tag of the same bytes each time: use a single response.
            with self._store.open(self._path) as blob:
                self._check(blob)
                return self._stream(blob)
        missing = [Span(0, PART_BYTES)] if self._parts is None else self._parts.missing()
        if missing:
            with self._store.open(self._path, missing[0], self._version) as blob:
                self._check(blob)
                if blob.version is None or blob.size is None:
                    return self._stream(blob)
                if self._parts is None:
                    self._version, self._parts = blob.version, Parts(blob.size)
                elif blob.size != self._parts.size:
                    raise OverwrittenError(self._described())
                else:
                    log.info(
                        "resuming the download",
                        object=self._described(),
                        mebibytes=self.received >> 20,
                        of_mebibytes=blob.size >> 20,
                    )
                self._fill(self._parts, blob)
        assert self._parts is not None
        while self._hash.step(self._parts.size):
            pass
        return self._hash.digest, self._parts.size

    def _check(self, blob: Blob) -> None:
        if blob.size is not None:
            self._check_size(blob.size)

    def _described(self) -> str:
        return self._store.describe(self._path)

    def _reset(self) -> None:
        self._version, self._parts = None, None
        self._hash = PrefixHash(self._target)

    def _load(self, path: Path) -> bool:
        try:
            record = DownloadRecord.from_bytes(path.read_bytes(), self._uri)
            length = self._target.stat().st_size
        except FileNotFoundError:
            return False
        if record is None or record.parts.received == 0 or record.parts.extent > length:
            return False
        self._version, self._parts = record.version, record.parts
        return True

    def _stream(self, blob: Blob) -> tuple[str, int]:
        """Download the whole object in one response, without versions or spans."""
        self._reset()
        size = 0
        progress = DownloadProgress(self._described(), blob.size)
        with self._target.open("wb") as file:
            for chunk in blob.chunks:
                self._hash.update(chunk)
                file.write(chunk)
                size += len(chunk)
                progress.update(size)
        if blob.size is not None and size != blob.size:
            raise cut_off(self._described(), blob.size, size)
        return self._hash.digest, size

    def _fill(self, parts: Parts, first: Blob) -> None:
        """Download the missing parts; ``first`` is the response for the first one."""
        missing = iter(parts.missing())
        progress = DownloadProgress(self._described(), parts.size)
        recorded = time.monotonic()
        self._stopped = False
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._target, flags, 0o644)
        try:
            os.ftruncate(descriptor, parts.size)  # drops the end of a longer version
            with ThreadPoolExecutor(WORKERS, "download") as pool:
                running: set[Future[None]] = set()
                try:
                    blob: Blob | None = first
                    while True:
                        for span in islice(missing, WORKERS - len(running)):
                            running.add(pool.submit(self._copy, descriptor, parts, span, blob))
                            blob = None
                        if not running:
                            break
                        hashing = self._hash.step(parts.prefix)
                        timeout = 0 if hashing else TICK_SECONDS
                        done, running = wait(running, timeout, FIRST_COMPLETED)
                        for future in done:
                            future.result()
                        progress.update(parts.received)
                        if time.monotonic() - recorded >= RECORD_SECONDS:
                            self._save(parts)
                            recorded = time.monotonic()
                except BaseException as error:
                    # The pool waits for running requests. If only a connection was cut, let them
                    # finish, and keep what they receive.
                    self._stopped = not _is_cut(error)
                    raise
        finally:
            os.close(descriptor)
            self._save(parts)

    def _copy(self, descriptor: int, parts: Parts, span: Span, blob: Blob | None) -> None:
        at = span.start
        if self._stopped:
            return
        with blob or self._store.open(self._path, span, self._version) as blob:
            for chunk in blob.chunks:
                if at + len(chunk) > span.end:
                    received = at + len(chunk) - span.start
                    raise cut_off(self._described(), span.end - span.start, received)
                _write(descriptor, chunk, at)
                parts.add(at, len(chunk))
                at += len(chunk)
                if self._stopped:
                    return
        if at < span.end:
            raise cut_off(self._described(), span.end - span.start, at - span.start)

    def _save(self, parts: Parts) -> None:
        if self._record is None or self._version is None:
            return
        data = DownloadRecord(self._uri, self._version, parts).to_bytes()
        fresh = self._record.with_suffix(".new")
        with suppress(OSError):  # without a record, a later process downloads more
            fresh.write_bytes(data)
            fresh.replace(self._record)


class DownloadProgress:
    """Logs a line every few seconds of a download."""

    def __init__(self, uri: str, size: int | None) -> None:
        self._uri, self._size = uri, size
        self._start = self._logged = time.monotonic()
        self._first: int | None = None

    def update(self, received: int) -> None:
        """Log the progress if it is time; ``received`` includes bytes of earlier attempts."""
        if self._first is None:
            self._first = received
        now = time.monotonic()
        if now - self._logged < PROGRESS_SECONDS:
            return
        self._logged = now
        log.info(
            "downloading",
            object=self._uri,
            mebibytes=received >> 20,
            of_mebibytes=None if self._size is None else self._size >> 20,
            mebibytes_per_second=round((received - self._first) / 2**20 / (now - self._start), 1),
        )


def _is_cut(error: BaseException) -> bool:
    """Return whether an error means only that a connection broke."""
    return (
        isinstance(error, StorageError)
        and error.is_retryable
        and not isinstance(error, OverwrittenError)
    )


def _write(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, at)
        view, at = view[count:], at + count
