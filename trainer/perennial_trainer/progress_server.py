"""Progress of the search over HTTP, for clients without access to the log.

``GET /progress`` on PROGRESS_PORT returns a :class:`~perennial_contracts.wire.run_plan.Progress`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from perennial_contracts.wire.run_plan import PROGRESS_PATH, PROGRESS_PORT, Progress

from .log import log_error

TIMEOUT_SECONDS = 10
"""Longest wait for a client."""


class ProgressServer:
    """The latest progress, and the port that serves it."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.port: int | None = None
        """None if the progress is not served."""

    def show(self, progress: Progress) -> None:
        """Replace the progress."""
        self.progress = progress


@contextmanager
def serve(port: int = PROGRESS_PORT) -> Iterator[ProgressServer]:
    """Serve the progress while the block runs. If the port is taken, only log that.

    Args:
        port: 0 for any free port.
    """
    server = ProgressServer()
    try:
        http_server = ThreadingHTTPServer(("", port), _handler(server))
    except OSError as error:
        log_error(f"progress is not served on port {port}: {error.strerror}; training continues")
        yield server
        return
    http_server.daemon_threads = True
    server.port = http_server.server_address[1]
    thread = threading.Thread(target=http_server.serve_forever, name="progress", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http_server.shutdown()
        http_server.server_close()
        thread.join()


def _handler(server: ProgressServer) -> type[BaseHTTPRequestHandler]:
    class ProgressHandler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_SECONDS

        def do_GET(self) -> None:
            if self.path != PROGRESS_PATH:
                self.send_error(404, f"the only path is {PROGRESS_PATH}")
                return
            body = server.progress.model_dump_json().encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: the log is for the lines of the training."""

    return ProgressHandler
