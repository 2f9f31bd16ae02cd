"""KServe's Python model server, with a model of one's own: what its scikit-learn and XGBoost
servers are too."""

from ..works import Protocol
from .base import Command, Launch, program


class KServe:
    """One uvicorn worker, a gRPC server in the same process; no log line for each request."""

    key = "kserve"
    title = "KServe (Python)"
    requirements = ("kserve==0.21.0",)

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json", "binary", "grpc")

    def command(self, launch: Launch) -> Command:
        return program(launch, "kserve_server.py")
