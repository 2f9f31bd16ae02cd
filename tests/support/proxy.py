"""TCP proxy that counts the bytes of a server, and cuts every connection once."""

import contextlib
import socket
import threading
from collections.abc import Callable

_READ_BYTES = 64 * 1024


class Proxy:
    """Proxy of ``127.0.0.1:port``; its own port is ``port``."""

    def __init__(self, port: int) -> None:
        self.received = 0
        """Number of bytes from the server."""
        self.cut_after: int | None = None
        """Number of bytes before the cut."""
        self.on_cut: Callable[[], None] = lambda: None
        """Called before the connections are cut."""
        self._upstream = port
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream))
                with self._lock:
                    self._sockets += [client, server]
                for source, target, counted in ((client, server, False), (server, client, True)):
                    arguments = (source, target, counted)
                    threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_READ_BYTES):
                if counted and self._is_last_straw(len(data)):
                    self.on_cut()
                    self._cut()
                    return
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _is_last_straw(self, count: int) -> bool:
        with self._lock:
            self.received += count
            if self.cut_after is None or self.received < self.cut_after:
                return False
            self.cut_after = None
            return True

    def _cut(self) -> None:
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
