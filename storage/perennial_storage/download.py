"""One object on its way into one file: in parts, several at a time, going on where it broke off."""

import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path

from perennial_contracts.wire.outcome import LoadFailure

from .. import log
from ..errors import LoadError
from ..store import Blob, OverwrittenError, Source, Span
from .parts import PART_BYTES, Parts, Record
from .prefix_hash import PrefixHash
from .progress import Progress

WORKERS = 6
"""Requests at a time. Each holds about a mebibyte in memory."""
NOTE_SECONDS = 1.0
"""What a process that is killed may have got in vain, in seconds."""
TICK_SECONDS = 0.25


class Download:
    """Gets an object into a file, in one attempt or in several.

    Where the store can name the version that it gives, what was got is kept between attempts, and
    only the rest is asked for, of that very version. Else each attempt begins anew.
    """

    _version: str | None
    _parts: Parts | None
    """What has arrived of that version; None before the store has told it."""

    def __init__(
        self,
        source: Source,
        path: str,
        target: Path,
        *,
        record: Path | None = None,
        check_size: Callable[[int], None] = lambda size: None,
    ) -> None:
        """Takes up what an earlier process has got, where there is a record of it.

        Args:
            source: the directory that the object lies in.
            path: of the object.
            target: the file; only this download writes to it.
            record: where it is noted for a later process what has arrived; None to note nothing.
                Then the digest must be known beforehand: a crash may leave any bytes in the file.
            check_size: raises a LoadError where the object's size says that it is none wanted.
        """
        self._source = source
        self._path = path
        self._uri = source.describe(path)
        """As it is in the record; what messages say may become more precise."""
        self._target = target
        self._record = record
        self._check_size = check_size
        self._stopped = False
        self._overwritten = 0
        self._begin_anew()
        self.resumed = record is not None and self._take_up(record)
        """Whether bytes of an earlier process are part of it."""

    @property
    def received(self) -> int:
        """Bytes that have arrived and need not be asked for again."""
        return 0 if self._parts is None else self._parts.received

    def restart(self) -> None:
        """Forgets all that has arrived."""
        self._begin_anew()
        self.resumed = False

    def attempt(self) -> tuple[str, int]:
        """Gets what is missing; the file's digest and its size in bytes.

        Raises:
            LoadError: StoreUnreachable where another attempt may get the rest; any other reason.
            OSError: where the file cannot be written.
        """
        try:
            return self._attempt()
        except OverwrittenError:
            self._overwritten += 1
            self.restart()
            raise

    def _attempt(self) -> tuple[str, int]:
        if self._overwritten > 1:
            # Some servers name the same bytes differently each time: one answer is one version.
            with self._source.open(self._path) as blob:
                self._look_at(blob)
                return self._stream(blob)
        missing = [Span(0, PART_BYTES)] if self._parts is None else self._parts.missing()
        if missing:
            with self._source.open(self._path, missing[0], self._version) as blob:
                self._look_at(blob)
                if blob.version is None or blob.size is None:
                    return self._stream(blob)
                if self._parts is None:
                    self._version, self._parts = blob.version, Parts(blob.size)
                elif blob.size != self._parts.size:
                    raise OverwrittenError(self._where)
                else:
                    log.info(
                        "the download goes on where it broke off",
                        object=self._where,
                        mebibytes=self.received >> 20,
                        of_mebibytes=blob.size >> 20,
                    )
                self._fill(self._parts, blob)
        assert self._parts is not None
        while self._hash.step(self._parts.size):
            pass
        return self._hash.digest, self._parts.size

    def _look_at(self, blob: Blob) -> None:
        if blob.size is not None:
            self._check_size(blob.size)

    @property
    def _where(self) -> str:
        return self._source.describe(self._path)

    def _begin_anew(self) -> None:
        self._version, self._parts = None, None
        self._hash = PrefixHash(self._target)

    def _take_up(self, path: Path) -> bool:
        try:
            record = Record.from_bytes(path.read_bytes(), self._uri)
            length = self._target.stat().st_size
        except FileNotFoundError:
            return False
        if record is None or record.parts.received == 0 or record.parts.extent > length:
            return False
        self._version, self._parts = record.version, record.parts
        return True

    def _stream(self, blob: Blob) -> tuple[str, int]:
        """The whole, in one go, of a store that cannot give a part of a version."""
        self._begin_anew()
        size = 0
        progress = Progress(self._where, blob.size)
        with self._target.open("wb") as file:
            for chunk in blob.chunks:
                self._hash.update(chunk)
                file.write(chunk)
                size += len(chunk)
                progress.tell(size)
        if blob.size is not None and size != blob.size:
            raise self._broken_off(blob.size, size)
        return self._hash.digest, size

    def _fill(self, parts: Parts, first: Blob) -> None:
        """Gets the missing parts; ``first`` is of the first of them."""
        missing = iter(parts.missing())
        progress = Progress(self._where, parts.size)
        noted = time.monotonic()
        self._stopped = False
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._target, flags, 0o644)
        try:
            os.ftruncate(descriptor, parts.size)  # nothing of a longer version stays behind it
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
                        progress.tell(parts.received)
                        if time.monotonic() - noted >= NOTE_SECONDS:
                            self._note(parts)
                            noted = time.monotonic()
                except BaseException as error:
                    # The pool waits for those that still run: where only a connection broke,
                    # until they have brought what they were at.
                    self._stopped = not _is_cut(error)
                    raise
        finally:
            os.close(descriptor)
            self._note(parts)

    def _copy(self, descriptor: int, parts: Parts, span: Span, blob: Blob | None) -> None:
        at = span.start
        if self._stopped:
            return
        with blob or self._source.open(self._path, span, self._version) as blob:
            for chunk in blob.chunks:
                if at + len(chunk) > span.end:
                    raise self._broken_off(span.end - span.start, at + len(chunk) - span.start)
                _write(descriptor, chunk, at)
                parts.add(at, len(chunk))
                at += len(chunk)
                if self._stopped:
                    return
        if at < span.end:
            raise self._broken_off(span.end - span.start, at - span.start)

    def _note(self, parts: Parts) -> None:
        if self._record is None or self._version is None:
            return
        data = Record(self._uri, self._version, parts).to_bytes()
        fresh = self._record.with_suffix(".new")
        with suppress(OSError):  # without it, a later process has more to do
            fresh.write_bytes(data)
            fresh.replace(self._record)

    def _broken_off(self, expected: int, got: int) -> LoadError:
        return LoadError(
            LoadFailure.STORE_UNREACHABLE,
            f"{self._where}: expected {expected} bytes, got {got} before the connection ended",
        )


def _is_cut(error: BaseException) -> bool:
    return (
        isinstance(error, LoadError)
        and error.reason is LoadFailure.STORE_UNREACHABLE
        and not isinstance(error, OverwrittenError)
    )


def _write(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, at)
        view, at = view[count:], at + count
