"""Hand-written server: FastAPI with pydantic models and uvicorn."""

from ..works import Protocol
from .base import Command, Launch


class FastAPI:
    """FastAPI with one worker, uvloop, httptools, no log line for each request."""

    key = "fastapi"
    title = "FastAPI + pydantic"
    requirements = ("fastapi==0.165.0", "uvicorn[standard]==0.54.0")

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json",)

    def command(self, launch: Launch) -> Command:
        arguments = [str(launch.python), "-m", "uvicorn", "fastapi_app:app", "--no-access-log"]
        arguments += ["--host", "127.0.0.1", "--port", str(launch.http_port)]
        return Command(arguments, launch.variables())
