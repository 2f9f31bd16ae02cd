"""What the benchmark knows about a server."""

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
    """One start of a server."""

    python: Path
    """Of the environment made for the peer."""
    kind: ModelKind
    model: Model
    http_port: int
    grpc_port: int
    other_port: int
    """For what the peer insists on, such as a port for metrics."""
    threads: int | None
    """Of one run of the model; None is ONNX Runtime's own choice, all cores."""
    folder: Path
    """Empty, for files that the peer wants."""

    def variables(self) -> dict[str, str]:
        """What the programs beside this file read; see ``programs/onnx_session.py``."""
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
    """How a server is started."""

    arguments: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The whole environment of the process: nothing of the benchmark's own Python."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        kept.pop("VIRTUAL_ENV", None)
        return {**kept, **self.variables}


class Peer(Interface):
    """A server to measure."""

    @property
    def key(self) -> str:
        """For flags and files."""

    @property
    def title(self) -> str:
        """For people."""

    @property
    def requirements(self) -> tuple[str, ...]:
        """What pip installs, beside ONNX Runtime; none for what runs in the benchmark's own."""

    def protocols(self) -> tuple[Protocol, ...]:
        """What it speaks."""

    def command(self, launch: Launch) -> Command:
        """How to start it; writes the files that it wants."""


def program(launch: Launch, name: str) -> Command:
    """A server that is one of the programs beside this file."""
    return Command([str(launch.python), str(PROGRAMS / name)], launch.variables())


def libpython() -> str:
    """The folder of libpython, for a program that embeds the Python of the environments."""
    import sysconfig

    return str(sysconfig.get_config_var("LIBDIR") or Path(sys.base_prefix) / "lib")
