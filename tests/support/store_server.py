"""A store's server that runs here, and can be stopped and started again."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

PATIENCE = 60.0
"""Seconds until a server that does not answer counts as broken."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class StoreServer:
    """It keeps what it was given, and its port, when it is started again."""

    environment: dict[str, str]
    """The variables by which it is asked."""

    def __init__(self, url: str, command: Sequence[str]) -> None:
        """``url`` is where it answers, in whatever way."""
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
