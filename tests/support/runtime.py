"""Model server in its own process, on a free port."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

PATIENCE = 60.0
"""Seconds to wait for a condition."""


class Runtime:
    """Process of ``perennial-runtime serve``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                try:
                    self.lines.append(json.loads(line))
                except ValueError:
                    self.lines.append({"message": line})
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, message: str) -> dict[str, Any]:
        """Wait for a log line; fail if the process ends without it."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.lines if line["message"] == message), None)

        with self._news:
            self._news.wait_for(lambda: found() or self._ended, PATIENCE)
            line = found()
        assert line is not None, f"no log line {message!r} in {self.lines}"
        return line

    @property
    def port(self) -> int:
        return int(self.wait_for("live")["port"])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def request(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Send a request; return status, JSON (or text) and headers of the response."""
        connection = self.connect()
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        connection.request(method, path, data, {k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        is_json = response.headers["content-type"] == "application/json"
        return (
            response.status,
            json.loads(text) if is_json else text,
            {key.lower(): value for key, value in response.headers.items()},
        )

    def terminate(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code


def without_settings() -> dict[str, str]:
    """Return the environment without variables of the runtime and its S3 client."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "PERENNIAL_"))
    }


@contextmanager
def servers(environment: dict[str, str]) -> Iterator[Callable[..., Runtime]]:
    """Start servers on free ports, and stop them after the block."""
    with ExitStack() as stack:

        def run(uri: Any, *arguments: str, wait: bool = True, **more: str) -> Runtime:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "perennial_runtime", "serve", str(uri)),
                    *("--host", "127.0.0.1", "--http-port", "0", *arguments),
                ],
                stderr=subprocess.PIPE,
                text=True,
                env=environment | more,
            )
            runtime = Runtime(process)

            def end() -> None:
                process.kill()
                runtime.exit_code()
                assert process.stderr is not None
                process.stderr.close()

            stack.callback(end)
            if wait:
                runtime.wait_for("ready")
            return runtime

        yield run
