"""KServe's Python model server with a custom model, as its scikit-learn server is."""

from ..works import Protocol
from .base import Command, Launch, program


class KServe:
    """KServe with one worker and gRPC in one process, no log line for each request."""

    key = "kserve"
    title = "KServe (Python)"
    requirements = ("kserve==0.21.0",)

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json", "binary", "grpc")

    def command(self, launch: Launch) -> Command:
        return program(launch, "kserve_server.py")
