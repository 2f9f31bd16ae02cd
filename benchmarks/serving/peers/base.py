"""Description of a server for the benchmark."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol as Interface

from ..models import Model
from ..works import MODEL_NAME, ModelKind, Protocol

PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True)
class Launch:
    """Settings of a start of a server."""

    python: Path
    """Python of the peer's environment."""
    kind: ModelKind
    model: Model
    http_port: int
    grpc_port: int
    other_port: int
    """Port for other uses of the peer, such as metrics."""
    threads: int | None
    """Threads of one run; ``None`` is ONNX Runtime's default, all cores."""
    folder: Path
    """Empty folder for files of the peer."""

    def variables(self) -> dict[str, str]:
        """Return the variables for ``programs/onnx_session.py``."""
        variables = {
            "BENCHMARK_MODEL": str(self.model.path),
            "BENCHMARK_NAME": MODEL_NAME,
            "BENCHMARK_HTTP_PORT": str(self.http_port),
            "BENCHMARK_GRPC_PORT": str(self.grpc_port),
            "PYTHONPATH": str(PROGRAMS),
        }
        if self.threads is not None:
            variables["BENCHMARK_THREADS"] = str(self.threads)
            variables["OMP_NUM_THREADS"] = str(self.threads)
        return variables


@dataclass(frozen=True)
class Command:
    """Command that starts a server."""

    arguments: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the whole environment, without the benchmark's own Python."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        kept.pop("VIRTUAL_ENV", None)
        return {**kept, **self.variables}


class Peer(Interface):
    """Server to measure."""

    @property
    def key(self) -> str:
        """Name for flags and files."""

    @property
    def title(self) -> str:
        """Name for people."""

    @property
    def requirements(self) -> tuple[str, ...]:
        """Requirements besides ONNX Runtime; none to use the benchmark's Python."""

    def protocols(self) -> tuple[Protocol, ...]:
        """Return the protocols that it supports."""

    def command(self, launch: Launch) -> Command:
        """Return the command that starts it; write its files."""


def program(launch: Launch, name: str) -> Command:
    """Return the command for one of ``programs/``."""
    return Command([str(launch.python), str(PROGRAMS / name)], launch.variables())


def libpython() -> str:
    """Return the folder of libpython, for a program that embeds Python."""
    import sysconfig

    return str(sysconfig.get_config_var("LIBDIR") or Path(sys.base_prefix) / "lib")
