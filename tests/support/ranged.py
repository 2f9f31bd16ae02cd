"""File on a web server that can be read in ranges, cut, delayed and overwritten."""

import contextlib
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler

PATIENCE = 60.0
_WRITE_BYTES = 64 * 1024


class RangedFile:
    """File that is served as in RFC 9110, with a count of the bytes."""

    def __init__(self, data: bytes, etag: str | None = '"1"', *, honest: bool = True) -> None:
        """Create a file; ``honest=False`` ignores If-Range, as some servers do."""
        self.data = data
        self.etag = etag
        self.honest = honest
        self.fickle = False
        """True if every response has another tag, as from inconsistent servers."""
        self.spans: list[tuple[int, int]] = []
        """Requested ranges, in order."""
        self.sent = 0
        self.tokens: list[str | None] = []
        """Authorization of each request."""
        self.refused: dict[int, int] = {}
        """Statuses of rejected requests, by their index."""
        self.cuts: list[int] = []
        """Number of bytes after which the next responses end."""
        self.fuse: int | None = None
        """Number of bytes in all before every response waits for ``gate``."""
        self.stuck = threading.Event()
        """Set once a response waits."""
        self.gate = threading.Event()
        self._lock = threading.Lock()

    def overwrite(self, data: bytes, etag: str | None) -> None:
        with self._lock:
            self.data, self.etag = data, etag

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            data, etag = self.data, self.etag
            if self.fickle:
                etag = f'"{len(self.tokens)}"'
            status = self.refused.get(len(self.tokens))
            self.tokens.append(handler.headers["Authorization"])
        if status is not None:
            _end(handler, status)
            return
        with self._lock:
            cut = self.cuts.pop(0) if self.cuts else None
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range", ""))
        condition = handler.headers.get("If-Range")
        if condition and self.honest and condition != etag:
            wanted = None
        start, end = (int(wanted[1]), int(wanted[2]) + 1) if wanted else (0, len(data))
        end = min(end, len(data))
        if wanted and start >= end:
            _end(handler, 416)
            return
        with self._lock:
            self.spans.append((start, end))
        handler.send_response(206 if wanted else 200)
        if wanted:
            handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        if etag is not None:
            handler.send_header("ETag", etag)
        handler.send_header("Last-Modified", "Mon, 02 Nov 2026 00:00:00 GMT")
        handler.send_header("Content-Length", str(end - start))
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            self._send(handler, data[start:end][:cut])
        if cut is not None:
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_WR)

    def _send(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        for at in range(0, len(body), _WRITE_BYTES):
            piece = body[at : at + _WRITE_BYTES]
            with self._lock:
                held = self.fuse is not None and self.sent + len(piece) > self.fuse
                if not held:
                    self.sent += len(piece)
            if held:
                self.stuck.set()
                assert self.gate.wait(PATIENCE)
                with self._lock:
                    self.sent += len(piece)
            handler.wfile.write(piece)


def _end(handler: BaseHTTPRequestHandler, status: int) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", "0")
    handler.end_headers()
