"""How far the search is, over HTTP, for who has no access to the pod's log.

``GET /progress`` on PROGRESS_PORT gives a :class:`~perennial_contracts.wire.run_plan.Progress`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from perennial_contracts.wire.run_plan import PROGRESS_PATH, PROGRESS_PORT, Progress

from .log import log_error

PATIENCE_SECONDS = 10
"""How long a client may take."""


class Board:
    """Holds the latest progress."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.port: int | None = None
        """Where it is served; None where it is not."""

    def show(self, progress: Progress) -> None:
        """Puts up how far the search is."""
        self.progress = progress


@contextmanager
def serve(port: int = PROGRESS_PORT) -> Iterator[Board]:
    """A board that is served while the block runs; a port that is taken is told and borne.

    Args:
        port: 0 takes any that is free.
    """
    board = Board()
    try:
        server = ThreadingHTTPServer(("", port), _handler(board))
    except OSError as error:
        log_error(f"progress is not served on port {port}: {error.strerror}; training goes on")
        yield board
        return
    server.daemon_threads = True
    board.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, name="progress", daemon=True)
    thread.start()
    try:
        yield board
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(board: Board) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE_SECONDS

        def do_GET(self) -> None:
            if self.path != PROGRESS_PATH:
                self.send_error(404, f"there is {PROGRESS_PATH} only")
                return
            body = board.progress.model_dump_json().encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The log is for what the training says."""

    return Handler
