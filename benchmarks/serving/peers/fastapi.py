"""What people write by hand: FastAPI with pydantic models around a session, under uvicorn."""

from ..works import Protocol
from .base import Command, Launch


class FastAPI:
    """One worker, with uvloop and httptools; no log line for each request."""

    key = "fastapi"
    title = "FastAPI + pydantic"
    requirements = ("fastapi==0.165.0", "uvicorn[standard]==0.54.0")

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json",)

    def command(self, launch: Launch) -> Command:
        arguments = [str(launch.python), "-m", "uvicorn", "fastapi_app:app", "--no-access-log"]
        arguments += ["--host", "127.0.0.1", "--port", str(launch.http_port)]
        return Command(arguments, launch.variables())
