"""A real HTTP/1.1 server that answers byte for byte as a test says."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def response(status=200, body=b"{}", close=False) -> bytes:
    """An answer as it goes over the wire."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
    return (head + ("Connection: close\r\n" if close else "") + "\r\n").encode() + body


class Server:
    """A real HTTP/1.1 server. ``script`` says, by connection, what each request is answered with.

    Bytes are sent as they are. None closes without an answer. After the last entry of a connection
    it is closed if that is the word "close", and waits for further bytes otherwise.
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
    """A server that runs while the block does."""
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
