"""Real HTTP/1.1 server that answers with the bytes of a test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def response(status=200, body=b"{}", close=False) -> bytes:
    """Return the bytes of a response."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
    return (head + ("Connection: close\r\n" if close else "") + "\r\n").encode() + body


class Server:
    """HTTP/1.1 server. ``script`` has the responses, by connection and request.

    Bytes are sent unchanged. ``None`` closes without a response. After the last entry of a
    connection, it closes if that is "close", and otherwise waits for further bytes.
    """

    def __init__(self, script):
        self.script = script
        self.requests = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        for number, steps in enumerate(self.script):
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(number, connection, steps))
            # Before it answers: who has an answer finds the thread that gave it.
            self.threads.append(thread)
            thread.start()

    def serve(self, number, connection, steps):
        with connection, connection.makefile("rb") as reader:
            for step in steps:
                if step == "close":
                    return
                body = self.read(reader)
                if body is None:
                    return
                self.requests.append((number, body))
                if step is None:
                    return
                connection.sendall(step)
            reader.read()

    def read(self, reader):
        length = 0
        while (line := reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return reader.read(length) if line else None


@contextmanager
def serving(*script) -> Iterator[Server]:
    """Run a server during the block."""
    server = Server(script)
    accepting = threading.Thread(target=server.run)
    accepting.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        accepting.join()
        for thread in server.threads:
            thread.join()
