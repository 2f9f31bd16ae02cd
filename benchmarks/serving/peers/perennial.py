"""Perennial's runtime, as installed with the benchmark."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from ..works import MODEL_NAME, Protocol
from .base import Command, Launch


@dataclass(frozen=True)
class Perennial:
    """Perennial, which runs requests of a small model in the reading thread."""

    workers: int = 1
    """Number of processes."""
    drain_seconds: int = 0
    """Seconds of draining after SIGTERM."""

    key: ClassVar[str] = "perennial"
    title: ClassVar[str] = "Perennial"
    requirements: ClassVar[tuple[str, ...]] = ()

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json", "binary", "grpc") if _has_grpc() else ("json", "binary")

    def command(self, launch: Launch) -> Command:
        arguments = [str(_program()), "serve", str(launch.model.path), "--name", MODEL_NAME]
        arguments += ["--host", "127.0.0.1", "--http-port", str(launch.http_port)]
        arguments += ["--drain-seconds", str(self.drain_seconds), "--workers", str(self.workers)]
        if _has_grpc():
            arguments += ["--grpc-port", str(launch.grpc_port)]
        if launch.threads is not None:
            arguments += ["--threads", str(launch.threads)]
        return Command(arguments)


def _program() -> Path:
    return Path(sys.executable).with_name("perennial-runtime")


@cache
def _has_grpc() -> bool:
    usage = subprocess.run(
        [str(_program()), "serve", "--help"], capture_output=True, text=True, check=True
    ).stdout
    return "--grpc-port" in usage
