"""XML API of Google Cloud Storage for obstore's writes; fake-gcs-server lacks it.

See https://cloud.google.com/storage/docs/xml-api; preconditions are supported.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PATIENCE = 60.0
BUCKET = "models"
_DATE = "Sat, 28 Nov 2026 00:00:00 GMT"


class GcsXmlServer:
    """Server with the bucket ``models``."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, int]] = {}
        """Contents and generation by name."""
        self._lock = threading.Lock()
        self._generation = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.get(self)

            def do_HEAD(self) -> None:
                server.get(self)

            def do_PUT(self) -> None:
                server.put(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)

    def put(self, handler: BaseHTTPRequestHandler) -> None:
        data = handler.rfile.read(int(handler.headers["Content-Length"]))
        bucket, name, _ = _place(handler)
        if bucket != BUCKET:
            return _refuse(handler, 404, "NoSuchBucket")
        wanted = handler.headers["x-goog-if-generation-match"]
        with self._lock:
            have = self.objects.get(name, (b"", 0))[1]
            matches = wanted is None or int(wanted) == have
            if matches:
                self._generation += 1
                self.objects[name] = (data, self._generation)
        if not matches:
            return _refuse(handler, 412, "PreconditionFailed")
        return _reply(handler, 200, b"", self._generation)

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        bucket, name, query = _place(handler)
        if bucket != BUCKET:
            return _refuse(handler, 404, "NoSuchBucket")
        with self._lock:
            objects = dict(self.objects)
        if not name:
            prefix = query.get("prefix", [""])[0]
            found = sorted(each for each in objects if each.startswith(prefix))
            return _reply(handler, 200, _listing({each: objects[each] for each in found}), 0)
        if name not in objects:
            return _refuse(handler, 404, "NoSuchKey")
        return _reply(handler, 200, *objects[name])


def _place(handler: BaseHTTPRequestHandler) -> tuple[str, str, dict[str, list[str]]]:
    parts = urlsplit(handler.path)
    bucket, _, name = unquote(parts.path).lstrip("/").partition("/")
    return bucket, name, parse_qs(parts.query)


def _listing(objects: dict[str, tuple[bytes, int]]) -> bytes:
    entries = "".join(
        f"<Contents><Key>{escape(name)}</Key><Generation>{generation}</Generation>"
        "<LastModified>2026-11-28T00:00:00.000Z</LastModified>"
        f'<ETag>"{generation}"</ETag><Size>{len(data)}</Size></Contents>'
        for name, (data, generation) in objects.items()
    )
    return (
        f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()
    )


def _refuse(handler: BaseHTTPRequestHandler, status: int, code: str) -> None:
    _reply(handler, status, f"<Error><Code>{code}</Code></Error>".encode(), 0)


def _reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, generation: int) -> None:
    handler.send_response(status)
    for name, value in {
        "Content-Length": str(len(body)),
        "ETag": f'"{generation}"',
        "Last-Modified": _DATE,
        "x-goog-generation": str(generation),
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
