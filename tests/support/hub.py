"""Small server with the endpoints of the Hugging Face Hub that are used here."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .ranged import RangedFile

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Hub with one repository, org/delays; its revisions main and v1 are ``COMMIT``.

    Small files are served by the hub itself, ``large`` ones by a link to ``storage``, another host.
    """

    def __init__(self, storage: Any) -> None:
        self.files: dict[str, bytes] = {}
        self.large: dict[str, RangedFile] = {}
        self.kind = "model"
        """Kind of the repository: model or dataset."""
        self.token: str | None = None
        """Required token; ``None`` if anybody may read."""
        self.gated = False
        self.status: int | None = None
        """Status of all responses of a broken hub."""
        self.links = 0
        """Number of links to storage; a link is invalid after the next one."""
        self._storage = storage
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self)

            def do_HEAD(self) -> None:
                hub.answer(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.status is not None:
            return reply(handler, self.status)
        if self.token and handler.headers["Authorization"] != f"Bearer {self.token}":
            return reply(handler, 401, error="RepoNotFound")
        if self.gated:
            return reply(handler, 403, error="GatedRepo")
        path = handler.path.partition("?")[0]
        if path.startswith(f"/api/{self.kind}s/org/delays/revision/"):
            if path.rpartition("/")[2] not in ("main", "v1", "refs%2Fpr%2F1"):
                return reply(handler, 404, error="RevisionNotFound")
            names = [{"rfilename": name} for name in (*self.files, *self.large)]
            body = {"id": "org/delays", "sha": COMMIT, "siblings": names}
            return reply(handler, 200, json.dumps(body).encode(), content_type="application/json")
        start = "/datasets" if self.kind == "dataset" else ""
        prefix = f"{start}/org/delays/resolve/{COMMIT}/"
        if not path.startswith(prefix):
            return reply(handler, 404, error="RepoNotFound")
        name = path.removeprefix(prefix)
        if name in self.large:
            self.links += 1
            link = f"/blobs/{self.links}"
            self._storage.files = {link: self.large[name]}
            # Of another name: the client follows the redirects of one host itself.
            storage = self._storage.url.replace("127.0.0.1", "localhost")
            size = str(len(self.large[name].data))
            return reply(
                handler, 302, location=storage + link, x_linked_size=size,
                x_linked_etag='"of-the-file"', etag='"of-the-link"', x_repo_commit=COMMIT,
            )  # fmt: skip
        if name in self.files:
            return reply(handler, 200, self.files[name], etag='"of-the-file"', x_repo_commit=COMMIT)
        return reply(handler, 404, error="EntryNotFound")


def reply(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes = b"",
    error: str | None = None,
    **headers: str,
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if error is not None:
        handler.send_header("X-Error-Code", error)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
