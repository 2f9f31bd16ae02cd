"""LitServe: FastAPI in one process, the model in another."""

from ..works import Protocol
from .base import Command, Launch, program


class LitServe:
    """LitServe with one of each process, without batching and request log."""

    key = "litserve"
    title = "LitServe"
    requirements = ("litserve==0.2.19",)

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json",)

    def command(self, launch: Launch) -> Command:
        return program(launch, "litserve_server.py")
