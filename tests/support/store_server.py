"""Server of a store that can be stopped and restarted."""

import itertools
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

PATIENCE = 60.0
"""Seconds to wait for a server."""


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = itertools.count(20_000 + 500 * _WORKER)


def free_port() -> int:
    """Return a port that no other process uses before the caller does.

    Each process of the tests has a range of its own, below the ports that the system assigns.
    """
    for port in _PORTS:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("unreachable")


class StoreServer:
    """Server that keeps its port and its contents when it is restarted."""

    environment: dict[str, str]
    """Variables for clients."""

    def __init__(self, url: str, command: Sequence[str]) -> None:
        """Start the server; ``url`` answers when it is ready."""
        self.url = url
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(30)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True
